/** A filter that holds; pressed, it no longer does. */
export function Chosen({ name, onDrop }: { readonly name: string; readonly onDrop: () => void }) {
  return (
    <button type="button" onClick={onDrop} title="Show all again">
      {name} <span aria-hidden="true">✕</span>
    </button>
  );
}
