import type { Paged } from '../api/use-live';

type Pages = Pick<Paged<unknown>, 'page' | 'next' | 'previous'>;

/** Turns the pages of a list; nothing where there is only one. */
export function Pager({ list, name }: { readonly list: Pages; readonly name: string }) {
  if (list.next === undefined && list.previous === undefined) return null;
  return (
    <nav className="pager" aria-label={`Pages of ${name}`}>
      <button type="button" onClick={list.previous} disabled={list.previous === undefined}>
        ← Previous
      </button>
      <span className="muted">page {list.page}</span>
      <button type="button" onClick={list.next} disabled={list.next === undefined}>
        Next →
      </button>
    </nav>
  );
}
