import { useEffect, type ReactNode } from 'react';

interface PageHeadProps {
  readonly title: string;
  /** Beside the title. */
  readonly children?: ReactNode;
  readonly lead?: ReactNode;
}

/** Cut at the end, so it is told whole to whoever points at it. */
const LONG = 120;

/** The beginning of a page; names the browser's tab too. */
export function PageHead({ title, lead, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · Seedfleet`;
  }, [title]);
  return (
    <header className="page-head">
      <div>
        <h1 title={title.length > LONG ? title : undefined}>{title}</h1>
        {lead !== undefined && <p className="muted lead">{lead}</p>}
      </div>
      {children !== undefined && <div className="tools">{children}</div>}
    </header>
  );
}
