import type { ReactNode } from 'react';
import { satoshi } from '../format';

interface StatProps {
  readonly name: string;
  readonly hint?: string;
  /** Satoshi; undefined while it is not known. */
  readonly sat?: string | bigint | undefined;
  /** In place of an amount. */
  readonly value?: ReactNode;
  readonly tone?: 'good' | 'bad' | undefined;
  readonly note?: ReactNode;
}

/** One figure, large. */
export function Stat({ name, hint, sat, value, tone, note }: StatProps) {
  return (
    <div className={tone === undefined ? 'stat' : `stat ${tone}`} title={hint}>
      <dt>{name}</dt>
      <dd>
        {value ?? (
          <>
            {sat === undefined ? '…' : satoshi(sat)} <small>sat</small>
          </>
        )}
      </dd>
      {note !== undefined && <dd className="note">{note}</dd>}
    </div>
  );
}

export function Stats({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <section aria-label={label}>
      <dl className="stats">{children}</dl>
    </section>
  );
}
