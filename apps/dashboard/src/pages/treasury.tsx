import { useState } from 'react';
import { send, wordsOf } from '../api/client';
import type { Series, Sweep, Treasury } from '../api/types';
import { useLive } from '../api/use-live';
import { Card } from '../components/card';
import { DataTable, type Column } from '../components/data-table';
import { PageHead } from '../components/page-head';
import { Pill } from '../components/pill';
import { Stat, Stats } from '../components/stat';
import { count, moment, plural, satoshi, shortHash, words } from '../format';
import { useMay } from '../session/session';

/** What was earned and lies on the fleet's own keys, and how it comes to the operator's wallet. */
export function TreasuryPage() {
  const treasury = useLive<Treasury>('/v1/treasury', ['chain', 'treasury', 'channel']);
  const booked = useLive<Series>('/v1/overview/series?period=day&count=1', ['channel', 'pulse']).value?.total;
  const { value } = treasury;
  return (
    <>
      <PageHead title="Treasury" lead="From buried settlements on the fleet’s own keys to the wallet that you named." />
      <Stats label="What the treasury holds">
        <Stat name="On payout keys" hint="unspent, final or not" sat={value?.hotSat} />
        <Stat
          name="Spare"
          hint="final, free, and more than what is kept back"
          sat={value?.spareSat}
          note={value && `${plural(value.spareCoins, 'coin')}, ${count(value.keptCoins)} kept back for children`}
        />
        <Stat name="Unswept" hint="settlements buried, not yet moved, by the books" sat={booked?.buriedSat} />
        <Stat name="Swept so far" hint="brought to your own wallet" sat={value?.sweptSat} tone="good" />
        <Stat name="Fees of all that" hint="of children, sweeps and splits" sat={value?.feesSat} />
      </Stats>
      <SweepCard treasury={value} onSwept={treasury.reload} />
      <Card title="Transactions" failure={treasury.failure}>
        <DataTable
          caption="Sweeps, splits and children"
          columns={COLUMNS}
          rows={value?.transactions ?? []}
          keyOf={({ txid }) => txid}
          empty={
            value !== undefined
              ? 'None yet.'
              : treasury.failure === undefined
                ? 'Asking the fleet…'
                : 'The settler does not answer.'
          }
        />
      </Card>
    </>
  );
}

/** Says what a sweep would do now, then does it. */
function SweepCard({ treasury, onSwept }: { readonly treasury: Treasury | undefined; readonly onSwept: () => void }) {
  const may = useMay('money');
  const [plan, setPlan] = useState<Sweep>();
  const [done, setDone] = useState<Sweep>();
  const [problem, setProblem] = useState<string>();
  const sweep = async (dryRun: boolean): Promise<void> => {
    const result = await send<Sweep>('POST', '/v1/treasury/sweep', { dryRun });
    if (!result.ok) return setProblem(wordsOf(result.failure));
    setProblem(undefined);
    setPlan(dryRun ? result.value : undefined);
    setDone(dryRun ? undefined : result.value);
    if (!dryRun) onSwept();
  };
  return (
    <Card title="Sweep">
      <dl className="pairs">
        <dt>Goes to</dt>
        <dd>
          {treasury === undefined ? (
            '–'
          ) : treasury.destination === null ? (
            <strong className="bad">nowhere: no wallet is configured, so everything stays on the fleet’s keys</strong>
          ) : (
            <code>{treasury.destination}</code>
          )}
        </dd>
        {typeof treasury?.nextAddress === 'string' && treasury.nextAddress !== treasury.destination && (
          <>
            <dt>Next address</dt>
            <dd>
              <code>{treasury.nextAddress}</code>
            </dd>
          </>
        )}
        <dt>Next by itself</dt>
        <dd>
          {treasury === undefined
            ? '–'
            : treasury.next.kind === 'none'
              ? `nothing: ${words(treasury.next.why)}`
              : `a ${treasury.next.kind}: ${words(treasury.next.why)}`}
        </dd>
      </dl>
      {may && (
        <>
          <p role="alert" className="problem">
            {problem}
          </p>
          <div role="status" aria-label="What a sweep would do">
            {plan !== undefined && (
              <p>{plan.kind === 'none' ? nothing(plan) : `It would sweep ${sweepWords(plan)}.`}</p>
            )}
            {done !== undefined && (
              <p>
                {done.kind === 'none' ? (
                  nothing(done)
                ) : done.txid === null ? (
                  'Not sent; the settler’s log says why.'
                ) : (
                  <>
                    Swept {sweepWords(done)}: <code>{done.txid}</code>
                  </>
                )}
              </p>
            )}
          </div>
          <span className="buttons">
            <button type="button" onClick={() => void sweep(true)}>
              What would a sweep do?
            </button>
            {plan !== undefined && plan.kind !== 'none' && (
              <button type="button" className="primary" onClick={() => void sweep(false)}>
                Sweep now
              </button>
            )}
          </span>
        </>
      )}
    </Card>
  );
}

const nothing = ({ why }: Sweep): string => `Nothing is swept: ${words(why)}.`;

function sweepWords({ inputs, inputSat, feeSat, destination }: Sweep): string {
  return `${plural(inputs, 'coin')} of ${satoshi(inputSat)} sat to ${destination ?? 'nowhere'} for a fee of ${satoshi(feeSat)} sat`;
}

const COLUMNS: readonly Column<Treasury['transactions'][number]>[] = [
  { title: 'Made', cell: ({ madeAt }) => <time dateTime={madeAt}>{moment(madeAt)}</time> },
  { title: 'Kind', hint: 'a child pays for a settlement that is stuck', cell: ({ kind }) => kind },
  { title: 'State', cell: ({ state }) => <Pill state={state} /> },
  { title: 'Why', cell: ({ reason }) => words(reason) },
  { title: 'Amount', right: true, hint: 'satoshi', cell: ({ inputSat }) => satoshi(inputSat) },
  { title: 'Fee', right: true, hint: 'satoshi', cell: ({ feeSat }) => satoshi(feeSat) },
  { title: 'Confirmations', right: true, cell: ({ confirmations }) => count(confirmations) },
  { title: 'Transaction', cell: ({ txid }) => <code title={txid}>{shortHash(txid)}</code> },
];
