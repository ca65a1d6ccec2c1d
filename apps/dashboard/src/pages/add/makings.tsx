import { useEffect, useState } from 'react';
import { send, wordsOf } from '../../api/client';
import type { Making } from '../../api/types';
import { usePages, waiting } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { Pager } from '../../components/pager';
import { Pill } from '../../components/pill';
import { ago, bytes, words } from '../../format';
import { Link } from '../../router';

/** While something is hashed, how far it is changes without any event. */
const LOOK_MS = 1_500;
const UNFINISHED = new Set(['waiting', 'hashing', 'adding']);

/** Torrents that are being made, and what became of the others. */
export function Makings() {
  const list = usePages<Making>('/v1/makings?limit=10', ['making', 'torrent']);
  const [problem, setProblem] = useState<string>();
  const { reload } = list;
  const busy = list.value?.items.some(({ state }) => UNFINISHED.has(state)) === true;
  useEffect(() => {
    if (!busy) return undefined;
    const timer = window.setInterval(reload, LOOK_MS);
    return () => window.clearInterval(timer);
  }, [busy, reload]);
  const cancel = async (id: string): Promise<void> => {
    const result = await send('DELETE', `/v1/makings/${id}`);
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    reload();
  };
  return (
    <Card title="Being made" failure={list.failure}>
      <p role="alert" className="problem">
        {problem}
      </p>
      <DataTable
        caption="Torrents being made"
        columns={columns((id) => void cancel(id))}
        rows={list.value?.items ?? []}
        keyOf={({ id }) => id}
        empty={list.value === undefined ? waiting(list) : 'Nothing was made yet.'}
      />
      <Pager list={list} name="makings" />
    </Card>
  );
}

function columns(cancel: (id: string) => void): readonly Column<Making>[] {
  return [
    { title: 'Content', cell: ({ path }) => <span title={path}>{path.slice(path.lastIndexOf('/') + 1)}</span> },
    { title: 'State', cell: ({ state }) => <Pill state={state} /> },
    {
      title: 'Hashed',
      right: true,
      cell: ({ hashedBytes, totalBytes }) =>
        totalBytes === 0 ? (
          '–'
        ) : (
          <span className="progress">
            {bytes(hashedBytes)} of {bytes(totalBytes)}
            <progress
              value={hashedBytes}
              max={totalBytes}
              aria-label={`${hashedBytes} of ${totalBytes} bytes hashed`}
            />
          </span>
        ),
    },
    {
      title: 'Result',
      cell: ({ infoHash, problem, detail }) =>
        infoHash !== null ? (
          <Link to={`/torrents/${infoHash}`}>the torrent</Link>
        ) : problem !== null ? (
          <span className="bad">
            {words(problem)}: {detail}
          </span>
        ) : (
          '–'
        ),
    },
    { title: 'Asked', right: true, cell: ({ createdAt }) => `${ago(createdAt, new Date().toISOString())} ago` },
    {
      title: 'Call off',
      right: true,
      cell: ({ id, state, path }) =>
        state === 'waiting' || state === 'hashing' ? (
          <button type="button" className="danger" onClick={() => cancel(id)} aria-label={`Call off ${path}`}>
            Call off
          </button>
        ) : (
          '–'
        ),
    },
  ];
}
