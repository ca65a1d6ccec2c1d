import { PageHead } from '../../components/page-head';
import { figureNamed, FIGURES } from '../../figures';
import { addressOf, periodIn, periodWords } from '../../period';
import { Link, useQuery } from '../../router';
import { Breakdown } from './breakdown';

/** Whose figure it may be besides the fleet's, and where the way back leads. */
const SUBJECTS = [
  ['nodeId', 'node', 'nodes'],
  ['buyer', 'buyer', 'buyers'],
] as const;

/** A figure of the fleet, a node or a buyer, down to channels and transactions. */
export function ExplainPage() {
  const [query] = useQuery();
  const figure = figureNamed(query.get('figure')) ?? 'revenueSat';
  const period = periodIn(query);
  const [name, kind, by] = SUBJECTS.find(([parameter]) => query.has(parameter)) ?? [];
  const key = name === undefined ? '' : (query.get(name) ?? '');
  return (
    <>
      <PageHead
        title={`${FIGURES[figure].name} · ${kind === undefined ? 'whole fleet' : key}`}
        lead={`What ${kind === undefined ? 'the fleet' : `this ${kind}`} booked ${periodWords(period)}${period.size === 0 ? '' : ' (UTC)'}.`}
      >
        <Link to={addressOf('/revenue', by === undefined ? {} : { by }, period)}>All revenue</Link>
      </PageHead>
      <Breakdown key={figure} figure={figure} subject={name === undefined ? {} : { [name]: key }} period={period} />
    </>
  );
}
