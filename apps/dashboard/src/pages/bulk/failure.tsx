import { isStale, wordsOf, type ApiFailure } from '../../api/client';
import { Link } from '../../router';

/** Why an edit of many torrents was not made, with the torrent that stood in its way. */
export function Failure({ failure }: { readonly failure: ApiFailure | undefined }) {
  return (
    <p role="alert" className="problem">
      {failure !== undefined &&
        (isStale(failure)
          ? 'Prices, tiers or the list of torrents have changed since. Nothing was changed: look again at what it would come to.'
          : wordsOf(failure))}
      {failure?.kind === 'refused' && failure.infoHash !== undefined && (
        <>
          {' '}
          Nothing was changed. <Link to={`/torrents/${failure.infoHash}`}>See the torrent</Link>
        </>
      )}
    </p>
  );
}
