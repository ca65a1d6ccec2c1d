import { addressOf } from '../period';
import { Link } from '../router';

interface LabelsProps {
  readonly labels: readonly string[];
  /** More than these are only counted; the rest is told to whoever points at the number. */
  readonly most: number;
}

/** Labels of a torrent; each leads to the torrents that have it. */
export function Labels({ labels, most }: LabelsProps) {
  const rest = labels.slice(most);
  return (
    <>
      {labels.slice(0, most).map((label) => (
        <Link key={label} to={addressOf('/torrents', { label })} className="label" title={`Torrents labelled ${label}`}>
          {label}
        </Link>
      ))}
      {rest.length > 0 && (
        <span className="label" title={rest.join(', ')}>
          +{rest.length}
        </span>
      )}
    </>
  );
}
