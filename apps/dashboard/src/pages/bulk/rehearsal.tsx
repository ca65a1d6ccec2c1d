import type { BulkEdited } from '../../api/types';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { Pager } from '../../components/pager';
import { Stat, Stats } from '../../components/stat';
import { objectionWords } from '../../components/objections';
import { count, plainName, plural, rate, satoshi, sum } from '../../format';
import { Link } from '../../router';
import type { BulkEditing } from './use-bulk-edit';

/** What an edit would come to, per torrent, and the button that makes it. */
export function Rehearsal({ edit }: { readonly edit: BulkEditing }) {
  const { rehearsed, busy, done, failure } = edit;
  return (
    <>
      <div role="status">
        {done !== undefined && (
          <p className="banner good">
            <strong>{torrents(done)} changed.</strong> Nodes are told at once.
          </p>
        )}
      </div>
      {rehearsed !== undefined && (
        <Card title="What it would come to">
          <Stats label="What it would come to">
            <Stat name="Fit" value={count(rehearsed.answer.matched)} note="torrents" />
            <Stat name="Change" value={count(rehearsed.answer.changed)} note="get new terms" />
            <Stat
              name="Refused by default buyers"
              value={count(rehearsed.answer.refusedByDefaultBuyers)}
              tone={rehearsed.answer.refusedByDefaultBuyers > 0 ? 'bad' : 'good'}
              note="at the new terms"
            />
            <Stat
              name="Never pay for themselves"
              value={count(rehearsed.answer.declined)}
              tone={rehearsed.answer.declined > 0 ? 'bad' : 'good'}
              note="no channel would be opened"
            />
          </Stats>
          <DataTable
            caption="What it would come to, per torrent"
            columns={COLUMNS}
            rows={rehearsed.answer.items}
            keyOf={({ infoHash }) => infoHash}
            empty="No torrent fits."
            details={objections}
          />
          <Pager list={pagesOf(edit)} name="torrents" />
          <p className="apply">
            <button
              type="button"
              className="primary"
              disabled={busy !== undefined || rehearsed.answer.changed === 0}
              onClick={edit.apply}
            >
              {busy === 'apply'
                ? 'Changing…'
                : rehearsed.answer.changed === 0
                  ? 'Nothing would change'
                  : `Change ${torrents(rehearsed.answer.changed)}`}
            </button>
            {failure?.kind === 'unreachable' && (
              <span role="alert" className="problem">
                No answer came, so it may have been done. Press again: it is not done twice.
              </span>
            )}
          </p>
        </Card>
      )}
    </>
  );
}

const torrents = (number: number): string => plural(number, 'torrent');

function pagesOf({ rehearsed, turn }: BulkEditing) {
  const { cursors = [], answer } = rehearsed ?? {};
  const following = answer?.nextCursor ?? null;
  return {
    page: cursors.length + 1,
    next: following === null ? undefined : () => turn([...cursors, following]),
    previous: cursors.length === 0 ? undefined : () => turn(cursors.slice(0, -1)),
  };
}

/** What is wrong with the new terms of a torrent. */
function objections({ after: { economics } }: BulkEdited) {
  const { declined, refusedNow, objections: refused } = economics;
  const said = [
    declined === null ? '' : `Could never pay for its settlement: ${declined}`,
    declined !== null || refusedNow === null ? '' : `Not sold at today’s fees: ${refusedNow}`,
    refused.length === 0 ? '' : `Default buyers refuse it: ${objectionWords(refused)}`,
  ].filter((text) => text !== '');
  return said.length === 0 ? null : <span className="bad">{said.join('. ')}</span>;
}

const change = (before: string, after: string) =>
  before === after ? (
    before
  ) : (
    <>
      <span className="muted">{before} →</span> <strong>{after}</strong>
    </>
  );

const COLUMNS: readonly Column<BulkEdited>[] = [
  {
    title: 'Torrent',
    cell: ({ infoHash, name, tier, changed }) => (
      <>
        <Link to={`/torrents/${infoHash}`} className="name" title={infoHash}>
          {plainName(name)}
        </Link>
        <small className="muted block">
          {tier}
          {!changed && ', stays as it is'}
        </small>
      </>
    ),
  },
  {
    title: 'Per piece',
    right: true,
    hint: 'satoshi, now and then',
    cell: ({ before, after }) => change(satoshi(before.priceSat), satoshi(after.priceSat)),
  },
  {
    title: 'Per MiB',
    right: true,
    hint: 'satoshi, now and then',
    cell: ({ before, after }) => change(rate(before.satPerMib, 2), rate(after.satPerMib, 2)),
  },
  {
    title: 'Complete sale',
    right: true,
    hint: 'satoshi',
    cell: ({ after }) => satoshi(after.economics.totalSat),
  },
  {
    title: 'Earns from piece',
    right: true,
    hint: 'payments before it can’t be collected; their share of a complete sale',
    cell: ({ after: { economics } }) => (
      <>
        {count(economics.kMin)} <small className="muted">{(economics.earnsNothingPerMille / 10).toFixed(1)} %</small>
      </>
    ),
  },
  {
    title: 'On chain',
    right: true,
    hint: 'satoshi, to settle and to sweep at today’s fees',
    cell: ({ after: { economics } }) => satoshi(sum(economics.settlementFeeSat, economics.sweepCostSat)),
  },
  {
    title: 'Leaves',
    right: true,
    hint: 'satoshi of a complete sale after what the chain takes',
    cell: ({ after: { economics } }) => (
      <span className={economics.netSat.startsWith('-') ? 'bad' : undefined}>{satoshi(economics.netSat)}</span>
    ),
  },
  {
    title: 'Default buyers',
    cell: ({ after: { economics } }) => (
      <span className={economics.acceptedByDefaultBuyers ? 'good' : 'bad'}>
        {economics.acceptedByDefaultBuyers ? 'accept' : 'refuse'}
      </span>
    ),
  },
];
