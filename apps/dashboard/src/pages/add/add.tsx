import { PageHead } from '../../components/page-head';
import { Link } from '../../router';
import { useMay } from '../../session/session';
import { Browse } from './browse';
import { Makings } from './makings';
import { Upload } from './upload';

/** Brings torrents into the fleet: made of content that lies on its disks, or from a .torrent file. */
export function AddPage() {
  const may = useMay('operate');
  return (
    <>
      <PageHead title="Add torrents" lead="From a file or folder that the fleet has, or from a .torrent file.">
        <Link to="/torrents">All torrents</Link>
      </PageHead>
      {may ? (
        <>
          <Browse />
          <Makings />
          <Upload />
        </>
      ) : (
        <p className="muted">This key may only read.</p>
      )}
    </>
  );
}
