import type { AuditEntry } from '../../api/types';
import { usePages, waiting } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { Pager } from '../../components/pager';
import { Search } from '../../components/search';
import { facts, moment, shortHash } from '../../format';
import { useQuery } from '../../router';

/** Every write through the API. */
export function AuditCard() {
  const [query, setQuery] = useQuery();
  const [action = '', target = ''] = ['action', 'target'].map((name) => query.get(name) ?? '');
  const asked = new URLSearchParams({ limit: '25' });
  if (action !== '') asked.set('action', action);
  if (target !== '') asked.set('target', target);
  const entries = usePages<AuditEntry>(`/v1/audit?${asked}`, [
    'torrent',
    'offer',
    'api-key',
    'webhook',
    'session',
    'tier',
  ]);
  return (
    <Card
      title="Audit log"
      failure={entries.failure}
      tools={
        <>
          <Search label="Action, as offer.set" value={action} onSearch={(text) => setQuery({ action: text })} />
          <Search label="Target, as an infohash" value={target} onSearch={(text) => setQuery({ target: text })} />
        </>
      }
    >
      <DataTable
        caption="Audit log, newest first"
        columns={COLUMNS}
        rows={entries.value?.items ?? []}
        keyOf={({ id }) => id}
        empty={entries.value === undefined ? waiting(entries) : 'Nothing like that was written.'}
      />
      <Pager list={entries} name="the audit log" />
    </Card>
  );
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'When', cell: ({ at }) => <time dateTime={at}>{moment(at)}</time> },
  { title: 'Who', cell: ({ actor, actorName }) => <span title={actor}>{actorName ?? actor}</span> },
  { title: 'What', cell: ({ action }) => <strong>{action}</strong> },
  { title: 'To what', cell: ({ target }) => <code title={target}>{shortHash(target)}</code> },
  { title: 'Details', cell: ({ data }) => <span className="details-line">{facts(data)}</span> },
];
