import { useId, type ReactNode } from 'react';
import { wordsOf, type ApiFailure } from '../api/client';
import { useLiveConnection } from '../api/live';

interface CardProps {
  readonly title: string;
  readonly failure?: ApiFailure | undefined;
  readonly tools?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

/** One part of a page; says so when its figures are not up to date. */
export function Card({ title, failure, tools, className, children }: CardProps) {
  const id = useId();
  // Without any connection the page says so once, for all its parts.
  const { connection } = useLiveConnection();
  const told = failure?.kind === 'unreachable' && connection === 'broken';
  return (
    <section className={className === undefined ? 'card' : `card ${className}`} aria-labelledby={id}>
      <header className="card-head">
        <h2 id={id}>{title}</h2>
        {tools !== undefined && <div className="tools">{tools}</div>}
      </header>
      {failure !== undefined && !told && (
        <p role="status" className="problem">
          {wordsOf(failure)} {failure.kind === 'unreachable' && 'The figures below may be old.'}
        </p>
      )}
      {children}
    </section>
  );
}
