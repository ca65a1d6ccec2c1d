import { useState } from 'react';
import { send, wordsOf } from '../../api/client';
import type { TorrentDetail } from '../../api/types';
import { Confirm } from '../../components/confirm';

/** Takes a torrent off sale for good. What it earned stays in the books, and running channels are settled. */
export function Remove({ torrent, onRemoved }: { readonly torrent: TorrentDetail; readonly onRemoved: () => void }) {
  const [problem, setProblem] = useState<string>();
  const remove = async (): Promise<void> => {
    const result = await send('PATCH', `/v1/torrents/${torrent.infoHash}`, { state: 'removed' });
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    onRemoved();
  };
  return (
    <div className="remove">
      <Confirm
        name="Remove the torrent"
        question="Nodes stop selling it; what it earned stays, and running channels are settled. Content stays on disk."
        yes="Remove it"
        onYes={() => void remove()}
      />
      {problem !== undefined && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
    </div>
  );
}
