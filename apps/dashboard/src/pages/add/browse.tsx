import { useState } from 'react';
import { send, wordsOf } from '../../api/client';
import type { Content, ContentEntry } from '../../api/types';
import { useLive, waiting } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { labelsIn } from '../../components/label-text';
import { bytes } from '../../format';
import { useQuery } from '../../router';

const PAGE = 100;

/** Content below the roots that the operator configured, and a button that makes a torrent of it. */
export function Browse() {
  const [query, setQuery] = useQuery();
  const [path, after] = [query.get('path') ?? '', query.get('after') ?? ''];
  const asked = new URLSearchParams({ limit: String(PAGE) });
  if (path !== '') asked.set('path', path);
  if (after !== '') asked.set('after', after);
  const content = useLive<Content>(`/v1/content?${asked}`, ['making']);
  const [labels, setLabels] = useState('');
  const [isPrivate, setPrivate] = useState(false);
  const [said, setSaid] = useState<{ readonly problem: boolean; readonly text: string }>();
  const go = (to: string) => setQuery({ path: to, after: '' });
  const make = async (entry: ContentEntry): Promise<void> => {
    const wanted = labelsIn(labels);
    const body = { path: entry.path, private: isPrivate, ...(wanted.length === 0 ? {} : { labels: wanted }) };
    const result = await send('POST', '/v1/makings', body);
    const text = result.ok ? `${entry.name} is being made into a torrent.` : wordsOf(result.failure);
    setSaid({ problem: !result.ok, text });
  };
  return (
    <Card
      title="Content of the fleet"
      failure={content.failure}
      tools={
        path !== '' && (
          <>
            <button type="button" onClick={() => go('')}>
              All roots
            </button>
            {typeof content.value?.parent === 'string' && (
              <button type="button" onClick={() => go(content.value?.parent ?? '')}>
                ↑ Up
              </button>
            )}
          </>
        )
      }
    >
      <p className="muted">{path === '' ? 'The folders from which torrents can be made.' : <code>{path}</code>}</p>
      <div className="fields">
        <label>
          Labels of what is made
          <input placeholder="film, 4k" value={labels} onChange={(event) => setLabels(event.target.value)} />
        </label>
      </div>
      <label className="check">
        <input type="checkbox" checked={isPrivate} onChange={(event) => setPrivate(event.target.checked)} />
        private: kept off DHT and peer exchange
      </label>
      <p role={said?.problem === true ? 'alert' : 'status'} className={said?.problem === true ? 'problem' : 'muted'}>
        {said?.text}
      </p>
      <DataTable
        caption="Files and folders"
        columns={columns(path === '', go, (entry) => void make(entry))}
        rows={content.value?.entries ?? []}
        keyOf={(entry) => entry.path}
        empty={
          content.value === undefined
            ? waiting(content)
            : path === ''
              ? 'No content root is configured: see CONTENT_ROOTS, or npm start -- --content DIR.'
              : 'Nothing in this folder.'
        }
      />
      {(content.value?.nextAfter ?? null) !== null && (
        <button type="button" onClick={() => setQuery({ after: content.value?.nextAfter ?? '' })}>
          More →
        </button>
      )}
    </Card>
  );
}

function columns(
  roots: boolean,
  go: (path: string) => void,
  make: (entry: ContentEntry) => void,
): readonly Column<ContentEntry>[] {
  return [
    {
      title: 'Name',
      cell: ({ kind, name, path }) =>
        kind === 'folder' ? (
          <button type="button" className="link" onClick={() => go(path)}>
            {roots ? path : `${name}/`}
          </button>
        ) : (
          name
        ),
    },
    { title: 'Kind', cell: ({ kind }) => (kind === 'other' ? 'link or device: not followed' : kind) },
    { title: 'Size', right: true, cell: ({ sizeBytes }) => (sizeBytes === null ? '–' : bytes(sizeBytes)) },
    {
      title: 'Torrent',
      right: true,
      cell: (entry) =>
        roots || entry.kind === 'other' ? (
          '–'
        ) : (
          <button type="button" onClick={() => make(entry)} aria-label={`Make a torrent of ${entry.name}`}>
            Make a torrent
          </button>
        ),
    },
  ];
}
