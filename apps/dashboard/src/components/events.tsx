import type { Fleet } from '../api/types';
import { ago, torrentName, words } from '../format';
import { Link } from '../router';
import { Pill } from './pill';

/** What happened last to any channel. */
export function Events({ fleet, limit }: { readonly fleet: Fleet; readonly limit: number }) {
  if (fleet.activity.length === 0) return <p className="muted">Nothing has happened yet.</p>;
  return (
    <ol className="events">
      {fleet.activity.slice(0, limit).map((event) => (
        <li key={event.id}>
          <time dateTime={event.at}>{ago(event.at, fleet.now)}</time>
          <Pill state={event.state} />
          <span className="grow">
            <Link to={`/channels/${event.channelId}`}>{torrentName(event.torrentName, event.infoHash)}</Link>{' '}
            <span className="muted">{words(event.reason)}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}
