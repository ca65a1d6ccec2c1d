import { useState, type FormEvent } from 'react';
import { send, wordsOf } from '../../api/client';
import type { Torrent } from '../../api/types';
import { Card } from '../../components/card';
import { useRouter } from '../../router';

const CHUNK = 0x8000;

/** Adds a torrent by its .torrent file and the place of its content on the nodes. */
export function Upload() {
  const { go } = useRouter();
  const [file, setFile] = useState<File>();
  const [contentPath, setContentPath] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (file === undefined) return setProblem('Choose a .torrent file.');
    const metainfo = base64(new Uint8Array(await file.arrayBuffer()));
    const result = await send<Torrent>('POST', '/v1/torrents', { metainfo, contentPath: contentPath.trim() });
    if (!result.ok) return setProblem(wordsOf(result.failure));
    go(`/torrents/${result.value.infoHash}`);
  };
  return (
    <Card title="From a .torrent file">
      <form onSubmit={(event) => void submit(event)}>
        <div className="fields">
          <label>
            .torrent file
            <input type="file" accept=".torrent" required onChange={(event) => setFile(event.target.files?.[0])} />
          </label>
          <label>
            Where nodes find the content
            <input
              required
              placeholder="/srv/films/Metropolis"
              value={contentPath}
              onChange={(event) => setContentPath(event.target.value)}
            />
          </label>
        </div>
        <p role="alert" className="problem">
          {problem}
        </p>
        <button type="submit" className="primary">
          Add the torrent
        </button>
      </form>
    </Card>
  );
}

/** In pieces: a call with millions of arguments fails. */
function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(text);
}
