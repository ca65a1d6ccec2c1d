import { isSumOfFigures, type ExplainedFigure } from '@seedfleet/books';
import type { Earner, Earnings, Page } from '../../api/types';
import { useLive } from '../../api/use-live';
import { amountOf, FIGURE_IDS, figureNamed, FIGURES } from '../../figures';
import { satoshi } from '../../format';
import { addressOf, periodIn, periodWords } from '../../period';
import { useQuery } from '../../router';
import { Breakdown } from '../explain/breakdown';

/** Shown also where they are 0. */
const ALWAYS: readonly ExplainedFigure[] = ['revenueSat', 'buriedSat', 'settledSat', 'collectableSat'];

interface ExplainProps {
  readonly infoHash: string;
  /** Over all time. */
  readonly ever: Earnings | undefined;
}

/** The figures of a torrent; each opens to the channels and transactions that it adds up from. */
export function Explain({ infoHash, ever }: ExplainProps) {
  const [query, setQuery] = useQuery();
  const period = periodIn(query);
  const then = useLive<Page<Earner>>(
    period.size === 0 ? null : addressOf('/v1/reports/torrents', { infoHash, limit: '1' }, period),
    ['channel', 'pulse'],
  ).value;
  const of = period.size === 0 ? ever : then && (then.items[0] ?? NOTHING);
  const open = figureNamed(query.get('explain'));
  // Sums are not shown beside their parts unless asked for.
  const shown = FIGURE_IDS.filter(
    (figure) =>
      ALWAYS.includes(figure) ||
      figure === open ||
      (!isSumOfFigures(figure) && of !== undefined && amountOf(of, figure) !== 0n),
  );
  return (
    <>
      {period.size > 0 && (
        <p className="period" role="status">
          What was booked {periodWords(period)} (UTC).{' '}
          <button type="button" className="link" onClick={() => setQuery({ from: '', to: '' })}>
            Show all time
          </button>
        </p>
      )}
      <section aria-label="What it earned" className="stats explainable">
        {shown.map((figure) => (
          <button
            key={figure}
            type="button"
            className="stat"
            title={FIGURES[figure].meaning}
            aria-expanded={open === figure}
            onClick={() => setQuery({ explain: open === figure ? '' : figure })}
          >
            <span className="stat-name">{FIGURES[figure].name}</span>
            <span className="stat-value">
              {of === undefined ? '…' : satoshi(amountOf(of, figure))} <small>sat</small>
            </span>
            <span className="note">{open === figure ? 'close' : 'explain this figure'}</span>
          </button>
        ))}
      </section>
      {open !== undefined && <Breakdown key={open} figure={open} subject={{ infoHash }} period={period} />}
    </>
  );
}

const NOTHING: Earnings = {
  channels: 0,
  pieces: 0,
  revenueSat: '0',
  accruedSat: '0',
  collectableSat: '0',
  feesReservedSat: '0',
  broadcastSat: '0',
  settledSat: '0',
  buriedSat: '0',
  feesSat: '0',
  uncollectableSat: '0',
  lostSat: '0',
  sweptSat: '0',
};
