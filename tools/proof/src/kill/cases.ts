import type { FaultPoint } from '@seedfleet/service-kit';
import type { BuyerMoment } from '../buyer/buyer.js';

/** How a sale of the case goes on to its end. */
export type Ending =
  /** The buyer leaves when it has everything. */
  | 'leave'
  /** The buyer stays without paying on until the deadline closes its channel. */
  | 'deadline'
  /** After the sale the newest block is replaced. */
  | 'reorganisation'
  /** When everything is final, what was earned is swept. */
  | 'sweep';

/** A process that dies between two named steps. */
export interface PointCase {
  readonly kind: 'point';
  readonly process: string;
  readonly point: FaultPoint;
  readonly passage: number;
  readonly ending: Ending;
  /** The point is passed while the process starts: it is killed first, so that it does. */
  readonly atStart: boolean;
}

/** One plug pulled at one moment of live sales. */
export type KillCase =
  | PointCase
  | { readonly kind: 'server'; readonly process: string; readonly moment: BuyerMoment | 'settling' | 'settled' };

export function nameOf(one: KillCase): string {
  return one.kind === 'point'
    ? `${one.process} dies at ${one.point}, passage ${one.passage}`
    : `${one.process} dies when ${one.moment}`;
}

type Extra = { readonly passage?: number; readonly ending?: Ending; readonly atStart?: boolean };

function at(
  process: string,
  point: FaultPoint,
  { passage = 1, ending = 'leave', atStart = false }: Extra = {},
): KillCase {
  return { kind: 'point', process, point, passage, ending, atStart };
}

const server = (process: string, ...moments: (BuyerMoment | 'settling' | 'settled')[]): KillCase[] =>
  moments.map((moment) => ({ kind: 'server', process, moment }));

const NODE: readonly KillCase[] = [
  at('node-1', 'node.open.before-request'),
  at('node-1', 'node.open.after-reply'),
  at('node-1', 'node.join.after-send'),
  at('node-1', 'node.ready.before-request'),
  at('node-1', 'node.ready.after-reply'),
  at('node-1', 'node.verdict.after-apply'),
  at('node-1', 'node.piece.before-send', { passage: 3 }),
  at('node-1', 'node.piece.after-send', { passage: 5 }),
  at('node-1', 'node.payment.before-queue', { passage: 4 }),
  at('node-1', 'node.payment.after-queue', { passage: 6 }),
  at('node-1', 'node.batch.before-publish', { passage: 3 }),
  at('node-1', 'node.batch.after-acknowledgement', { passage: 2 }),
  at('node-1', 'node.batch.after-release', { passage: 4 }),
  at('node-1', 'node.watermark.before-forget', { passage: 2 }),
  at('node-1', 'node.watermark.after-forget', { passage: 3 }),
  at('node-1', 'node.end.before-queue'),
  at('node-1', 'node.end.after-queue'),
  at('node-1', 'node.register.before-request', { atStart: true }),
  at('node-1', 'node.register.after-reply', { atStart: true }),
  at('node-1', 'node.assignments.after-reply', { atStart: true }),
  at('node-1', 'node.report.before-request', { atStart: true }),
];

const INTAKE: readonly KillCase[] = [
  at('channel-intake', 'intake.open.before-store'),
  at('channel-intake', 'intake.open.after-store'),
  at('channel-intake', 'intake.fund.before-store'),
  at('channel-intake', 'intake.fund.after-store'),
  at('channel-intake', 'intake.claim.before-watch'),
  at('channel-intake', 'intake.claim.after-watch'),
  at('channel-intake', 'intake.claim.after-store'),
  at('channel-intake', 'intake.verdict.before-store'),
  at('channel-intake', 'intake.verdict.after-store'),
  at('channel-intake', 'intake.batch.before-verify', { passage: 2 }),
  at('channel-intake', 'intake.batch.before-commit', { passage: 3 }),
  at('channel-intake', 'intake.batch.after-commit', { passage: 2 }),
  at('channel-intake', 'intake.end.before-wake'),
  at('channel-intake', 'intake.end.after-wake'),
  at('channel-intake', 'intake.watermark.after-publish', { passage: 3 }),
  at('channel-intake', 'channel.outbox.before-send'),
  at('channel-intake', 'channel.outbox.after-send'),
  at('channel-intake', 'channel.news.before-wake'),
  at('channel-intake', 'channel.news.after-wake'),
];

const SETTLER: readonly KillCase[] = [
  at('channel-settler', 'settler.keys.before-store'),
  at('channel-settler', 'settler.keys.after-store'),
  at('channel-settler', 'settler.deadline.before-store'),
  at('channel-settler', 'settler.deadline.after-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.freeze.after-store'),
  at('channel-settler', 'settler.sign.before-sign'),
  at('channel-settler', 'settler.sign.before-store'),
  at('channel-settler', 'settler.sign.after-store'),
  at('channel-settler', 'settler.broadcast.after-reply'),
  at('channel-settler', 'settler.child.before-sign', { ending: 'deadline' }),
  at('channel-settler', 'settler.child.before-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.child.after-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.child.after-reply', { ending: 'deadline' }),
  at('channel-settler', 'settler.treasury.before-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.treasury.after-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.sweep.before-sign', { ending: 'sweep' }),
  at('channel-settler', 'settler.sweep.before-store', { ending: 'sweep' }),
  at('channel-settler', 'settler.sweep.after-store', { ending: 'sweep' }),
  at('channel-settler', 'settler.sweep.after-reply', { ending: 'sweep' }),
  at('channel-settler', 'settler.follow.before-store'),
  at('channel-settler', 'settler.follow.after-store'),
  at('channel-settler', 'settler.bury.before-store'),
  at('channel-settler', 'settler.bury.after-store'),
  at('channel-settler', 'settler.checkpoint.before-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.checkpoint.after-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.order.after-reply', { ending: 'deadline' }),
];

const CHAIN: readonly KillCase[] = [
  at('chain-watcher', 'chain.broadcast.before-store'),
  at('chain-watcher', 'chain.broadcast.before-send'),
  at('chain-watcher', 'chain.broadcast.after-send'),
  at('chain-watcher', 'chain.broadcast.after-store'),
  at('chain-watcher', 'chain.watch.before-store'),
  at('chain-watcher', 'chain.watch.after-store'),
  at('chain-watcher', 'chain.block.before-connect'),
  at('chain-watcher', 'chain.block.after-connect'),
  at('chain-watcher', 'chain.block.before-disconnect', { ending: 'reorganisation' }),
  at('chain-watcher', 'chain.block.after-disconnect', { ending: 'reorganisation' }),
  at('chain-watcher', 'chain.outbox.before-send'),
  at('chain-watcher', 'chain.outbox.after-send'),
  at('chain-watcher', 'chain.order.after-store', { ending: 'deadline' }),
  at('chain-watcher', 'chain.lease.after-take', { atStart: true }),
];

const MARKET: readonly KillCase[] = [
  at('market-api', 'market.assignments.before-reply'),
  at('market-api', 'market.register.before-store'),
  at('market-api', 'market.register.after-store'),
  at('market-api', 'market.report.before-store'),
  at('market-api', 'market.report.after-store'),
];

const SERVERS: readonly KillCase[] = [
  ...server('nats', 'joined', 'funded', 'paid:1', 'paid:5', 'finished', 'settling'),
  ...server('postgres', 'joined', 'funded', 'paid:3', 'finished', 'settling', 'settled'),
  ...server('redis', 'paid:4', 'finished'),
];

/** Before everything else: the node does not start with blocks from the future, which others need to reach deadlines. */
const BITCOIN: readonly KillCase[] = server('bitcoin', 'funded', 'paid:2', 'settling', 'settled');

/** All plugs, in an order that lets each process rest between its deaths. */
export const KILL_CASES: readonly KillCase[] = [
  ...BITCOIN,
  ...interleaved([NODE, INTAKE, SETTLER, CHAIN, SERVERS, MARKET]),
];

/** One of each kind, for `npm test`. */
export const SHORT_KILL_CASES: readonly KillCase[] = [
  at('node-1', 'node.batch.after-acknowledgement', { passage: 2 }),
  at('channel-intake', 'intake.batch.after-commit', { passage: 2 }),
  at('channel-settler', 'settler.sign.after-store'),
  at('channel-settler', 'settler.child.after-store', { ending: 'deadline' }),
  at('chain-watcher', 'chain.broadcast.after-send'),
  ...server('nats', 'paid:5'),
  ...server('postgres', 'paid:3'),
];

/** Of a fleet whose seed is in a process of its own: before, while and after a line of its log is written. */
export const SIGNER_KILL_CASES: readonly KillCase[] = [
  ...server('channel-signer', 'joined', 'paid:3', 'finished', 'settling'),
  at('channel-signer', 'signer.log.before-write'),
  at('channel-signer', 'signer.log.before-sync', { ending: 'deadline' }),
  at('channel-signer', 'signer.log.after-sync'),
  // The settlement, its checkpoints, and the child that goes along near the deadline.
  at('channel-signer', 'signer.log.before-write', { passage: 2, ending: 'deadline' }),
  at('channel-signer', 'signer.log.after-sync', { passage: 2, ending: 'deadline' }),
  at('channel-signer', 'signer.log.after-sync', { passage: 3, ending: 'deadline' }),
  // Its log is continued in another file.
  at('channel-signer', 'signer.segment.before-memory', { ending: 'deadline' }),
  at('channel-signer', 'signer.segment.before-file', { ending: 'deadline' }),
  at('channel-signer', 'signer.segment.before-line', { ending: 'deadline' }),
  at('channel-signer', 'signer.segment.after-line', { ending: 'deadline' }),
  at('channel-signer', 'signer.segment.after-mark', { ending: 'deadline' }),
  at('channel-settler', 'settler.sign.before-store'),
  at('channel-settler', 'settler.checkpoint.before-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.child.before-store', { ending: 'deadline' }),
  at('channel-settler', 'settler.sweep.before-store', { ending: 'sweep' }),
];

export const SHORT_SIGNER_KILL_CASES: readonly KillCase[] = [
  at('channel-signer', 'signer.log.after-sync', { ending: 'deadline' }),
];

function interleaved(lists: readonly (readonly KillCase[])[]): KillCase[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, place) => lists.flatMap((list) => list.slice(place, place + 1))).flat();
}
