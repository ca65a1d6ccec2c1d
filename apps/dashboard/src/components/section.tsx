import type { ReactNode } from 'react';
import type { ApiFailure } from '../api/client';

interface SectionProps {
  readonly id: string;
  readonly title: string;
  readonly failure: ApiFailure | undefined;
  readonly tools?: ReactNode;
  readonly children: ReactNode;
}

/** One part of the page; says so when its figures are not up to date. */
export function Section({ id, title, failure, tools, children }: SectionProps) {
  return (
    <section className="card" aria-labelledby={id}>
      <header className="section-head">
        <h2 id={id}>{title}</h2>
        {tools}
      </header>
      {failure !== undefined && (
        <p role="status" className="problem">
          {failure.kind === 'refused' ? failure.detail : 'The fleet does not answer; the figures below may be old.'}
        </p>
      )}
      {children}
    </section>
  );
}
