import { useState } from 'react';
import { send, wordsOf } from '../../api/client';
import type { Delivery } from '../../api/types';
import { usePages, waiting } from '../../api/use-live';
import { DataTable, type Column } from '../../components/data-table';
import { Pager } from '../../components/pager';
import { Pill } from '../../components/pill';
import { ago, until } from '../../format';
import { useMay } from '../../session/session';

/** What was and will be delivered to one webhook. */
export function Deliveries({ webhookId }: { readonly webhookId: string }) {
  const path = `/v1/webhooks/${webhookId}/deliveries`;
  const deliveries = usePages<Delivery>(`${path}?limit=10`, ['webhook', 'channel', 'pulse']);
  const [problem, setProblem] = useState<string>();
  const may = useMay('operate');
  const redeliver = async (id: string): Promise<void> => {
    const result = await send('POST', `${path}/${id}/redeliver`);
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    deliveries.reload();
  };
  return (
    <>
      {problem !== undefined && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
      <DataTable
        caption="Deliveries"
        columns={columns(may, (id) => void redeliver(id))}
        rows={deliveries.value?.items ?? []}
        keyOf={({ id }) => id}
        empty={deliveries.value === undefined ? waiting(deliveries) : 'Nothing was to be delivered yet.'}
      />
      <Pager list={deliveries} name="deliveries" />
    </>
  );
}

function columns(may: boolean, redeliver: (id: string) => void): readonly Column<Delivery>[] {
  const now = new Date().toISOString();
  return [
    { title: 'Event', cell: ({ kind }) => kind },
    { title: 'State', cell: ({ state }) => <Pill state={state} /> },
    { title: 'Attempts', right: true, cell: ({ attempts }) => attempts },
    {
      title: 'Last answer',
      cell: ({ lastStatus, lastProblem }) => [lastStatus, lastProblem].filter((part) => part !== null).join(' ') || '–',
    },
    { title: 'Made', cell: ({ createdAt }) => `${ago(createdAt, now)} ago` },
    { title: 'Next attempt', cell: ({ nextAttemptAt }) => (nextAttemptAt === null ? '–' : until(nextAttemptAt, now)) },
    {
      title: '',
      right: true,
      cell: ({ id, state }) =>
        may &&
        state !== 'pending' && (
          <button type="button" onClick={() => redeliver(id)} aria-label={`Deliver ${id} again`}>
            Deliver again
          </button>
        ),
    },
  ];
}
