import { wordsOf } from '../api/client';
import type { ChannelDetail } from '../api/types';
import { useLive } from '../api/use-live';
import { Card } from '../components/card';
import { PageHead } from '../components/page-head';
import { Pill } from '../components/pill';
import { Stat, Stats } from '../components/stat';
import { facts, moment, satoshi, torrentName, until, words } from '../format';
import { Link } from '../router';

/** One channel: where it stands, what it is worth, and its story. */
export function ChannelPage({ id }: { readonly id: string }) {
  const { value, failure } = useLive<ChannelDetail>(`/v1/channels/${id}`, ['channel', 'chain', 'pulse']);
  if (value === undefined) {
    return (
      <>
        <PageHead title="Channel" />
        <p className={failure === undefined ? 'muted' : 'problem'}>
          {failure === undefined ? 'Asking the fleet…' : wordsOf(failure)}
        </p>
        <p>
          <Link to="/channels">All channels</Link>
        </p>
      </>
    );
  }
  const now = new Date().toISOString();
  return (
    <>
      <PageHead title={`Channel ${id.slice(0, 8)}`} lead={<code>{id}</code>}>
        <Pill state={value.state} />
      </PageHead>
      <Stats label="What it is worth">
        <Stat
          name="Pieces paid"
          value={`${value.k} of ${value.pieceCount}`}
          note={
            value.lastK > value.k
              ? `an earlier payment was settled, the last was for ${value.lastK}`
              : `first that pays: ${value.kMin ?? '–'}`
          }
        />
        <Stat name="Paid" sat={value.paidSat} note={`${value.k} × ${satoshi(value.priceSat)}`} />
        <Stat name="Settlement fee" sat={value.settlementFeeSat} note="frozen when it was opened" />
        <Stat name="Net" sat={value.netSat} tone="good" note="paid − fee, where that can be settled" />
      </Stats>
      <div className="two">
        <Card title="Timeline" failure={failure}>
          <ol className="timeline">
            {value.story.map((event) => (
              <li key={event.version}>
                <time dateTime={event.at}>{moment(event.at)}</time>
                <div>
                  <Pill state={event.state} /> <span>{words(event.reason)}</span>
                  {facts(event.data) !== '' && <span className="facts-line">{facts(event.data)}</span>}
                </div>
              </li>
            ))}
          </ol>
        </Card>
        <Card title="Facts">
          <dl className="pairs">
            <dt>Torrent</dt>
            <dd>
              <Link to={`/torrents/${value.infoHash}`}>{torrentName(value.torrentName, value.infoHash)}</Link>
            </dd>
            <dt>Node</dt>
            <dd>{value.nodeId}</dd>
            <dt>Buyer</dt>
            <dd>
              {value.peerAddress} · {value.peerClient}
            </dd>
            <dt>Opened</dt>
            <dd>{moment(value.createdAt)} UTC</dd>
            <dt>Deadline</dt>
            <dd>
              {value.deadlineAt === null
                ? 'none yet'
                : `${moment(value.deadlineAt)} UTC (${until(value.deadlineAt, now)})`}
            </dd>
            <dt>Next look</dt>
            <dd>{value.nextActionAt === null ? 'none: it is final' : until(value.nextActionAt, now)}</dd>
            <dt>Terms</dt>
            <dd>
              {satoshi(value.priceSat)} sat per piece, locked for {value.lockUnits} × 512 s, covered up to piece{' '}
              {value.kCap ?? '–'}
            </dd>
            <dt>Funding</dt>
            <dd>
              {value.fundingTxid === null ? (
                'none yet'
              ) : (
                <>
                  <code>
                    {value.fundingTxid}:{value.fundingVout}
                  </code>{' '}
                  {satoshi(value.fundingValueSat ?? '0')} sat, {value.fundingConfirmations} confirmations
                </>
              )}
            </dd>
            <dt>Settlement</dt>
            <dd>
              {value.settlementTxid === null ? (
                'none yet'
              ) : (
                <>
                  <code>{value.settlementTxid}</code>{' '}
                  {value.settlementHeight !== null && `in block ${value.settlementHeight}, `}
                  {value.settlementConfirmations} confirmations
                </>
              )}
            </dd>
            {value.closeReason !== null && (
              <>
                <dt>Closed because</dt>
                <dd>{words(value.closeReason)}</dd>
              </>
            )}
          </dl>
        </Card>
      </div>
    </>
  );
}
