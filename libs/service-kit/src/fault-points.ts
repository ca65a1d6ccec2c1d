import { readFileSync, rmSync } from 'node:fs';

/**
 * Every place where a process can be told to die, so that proofs can kill it between two named steps instead of after
 * some time. Each comment says what was stored or sent before, and what not yet.
 */
export const FAULT_POINTS = [
  // --- swarm-node: joining
  /** A buyer asked to join; nothing was sent. */
  'node.open.before-request',
  /** The intake has stored the channel and answered; the buyer has not been told. */
  'node.open.after-reply',
  /** `joining_contract` was handed to the socket. */
  'node.join.after-send',

  // --- swarm-node: funding
  /** `ready` arrived; the intake has not been asked. */
  'node.ready.before-request',
  /** The intake has stored the funding and answered; the verdict is not applied. */
  'node.ready.after-reply',
  /** A new verdict was applied: the first pieces may be on their way. */
  'node.verdict.after-apply',

  // --- swarm-node: pieces and payments
  /** A piece is loaded and may be sent; it was not. */
  'node.piece.before-send',
  /** A piece was handed to the socket. */
  'node.piece.after-send',
  /** A payment was verified; nothing has been published. */
  'node.payment.before-queue',
  /** A payment waits in memory for the next batch. */
  'node.payment.after-queue',
  /** A batch is made; it was not published. */
  'node.batch.before-publish',
  /** The broker has acknowledged a batch; no window slot has been freed. */
  'node.batch.after-acknowledgement',
  /** Window slots were freed and the next pieces are on their way. */
  'node.batch.after-release',
  /** The intake has committed; the node has not forgotten what was committed. */
  'node.watermark.before-forget',
  /** The node has forgotten what was committed. */
  'node.watermark.after-forget',
  /** A channel has ended; nobody was told. */
  'node.end.before-queue',
  /** The end of a channel waits in memory for the next batch. */
  'node.end.after-queue',

  // --- swarm-node: being part of the fleet
  /** The node has not registered. */
  'node.register.before-request',
  /** The fleet has stored the node. */
  'node.register.after-reply',
  /** The node knows its torrents; it has brought none of them in. */
  'node.assignments.after-reply',
  /** Progress is known; it was not reported. */
  'node.report.before-request',

  // --- intake: opening and funding
  /** A join arrived; nothing is stored. */
  'intake.open.before-store',
  /** The channel is stored; the node has no answer. */
  'intake.open.after-store',
  /** `ready` was checked; it is not stored. */
  'intake.fund.before-store',
  /** `ready` is stored; the chain was not asked. */
  'intake.fund.after-store',
  /** The output is ours; chain-watcher has not been asked to watch it. */
  'intake.claim.before-watch',
  /** chain-watcher has stored the watch; the outpoint is not claimed. */
  'intake.claim.after-watch',
  /** The outpoint is claimed; no verdict is stored. */
  'intake.claim.after-store',
  /** The verdict is decided; it is not stored. */
  'intake.verdict.before-store',
  /** The verdict is stored with its outbox message; the node has not been told. */
  'intake.verdict.after-store',

  // --- intake: payments
  /** A batch was delivered; nothing is verified. */
  'intake.batch.before-verify',
  /** A batch is verified; it is not committed. */
  'intake.batch.before-commit',
  /** A batch is committed with its watermark; nobody was told and nothing was acknowledged. */
  'intake.batch.after-commit',
  /** Channels ended in a committed batch; the settler was not woken. */
  'intake.end.before-wake',
  /** The settler was woken; the batch is not acknowledged. */
  'intake.end.after-wake',
  /** The watermark was published; the batch is not acknowledged. */
  'intake.watermark.after-publish',

  // --- both roles of channel-service
  /** An outbox message is chosen; it was not sent. */
  'channel.outbox.before-send',
  /** An outbox message was sent; it is not marked as sent. */
  'channel.outbox.after-send',
  /** News of the chain arrived; no channel was woken. */
  'channel.news.before-wake',
  /** Channels were woken; the news is not acknowledged. */
  'channel.news.after-wake',

  // --- settler
  /** Contract keys are derived; they are not stored. */
  'settler.keys.before-store',
  /** Contract keys are stored. */
  'settler.keys.after-store',
  /** The chain's median time past is known; channels at their deadline were not looked for. */
  'settler.deadline.before-store',
  /** Channels at their deadline are closed and stored. */
  'settler.deadline.after-store',
  /** A closed channel was claimed; k is not frozen. */
  'settler.freeze.before-store',
  /** k is frozen. */
  'settler.freeze.after-store',
  /** The settlement is decided; it is not signed. */
  'settler.sign.before-sign',
  /** The settlement is signed; its bytes are stored nowhere. */
  'settler.sign.before-store',
  /** The settlement's bytes are stored; chain-watcher has not been asked. */
  'settler.sign.after-store',
  /** chain-watcher has taken the settlement; nothing was noted. */
  'settler.broadcast.after-reply',
  /** A child is decided; it is not signed. */
  'settler.child.before-sign',
  /** A child is signed; its bytes are stored nowhere. */
  'settler.child.before-store',
  /** A child's bytes are stored, with its claim on what it spends; chain-watcher has not been asked. */
  'settler.child.after-store',
  /** chain-watcher has taken settlement and child; nothing was noted. */
  'settler.child.after-reply',
  /** A sweep or split is decided; it is not signed. */
  'settler.sweep.before-sign',
  /** It is signed; its bytes are stored nowhere. */
  'settler.sweep.before-store',
  /** It is stored, with its claim on what it spends; chain-watcher has not been asked. */
  'settler.sweep.after-store',
  /** chain-watcher has stored and sent it; whoever asked for it was not told. */
  'settler.sweep.after-reply',
  /** The chain has answered how a child, split or sweep stands; that is not stored. */
  'settler.treasury.before-store',
  /** It is stored, with what it means for coins and books. */
  'settler.treasury.after-store',
  /** The chain has answered how the settlement stands; the channel was not moved. */
  'settler.follow.before-store',
  /** The channel was moved to where its settlement stands. */
  'settler.follow.after-store',
  /** The settlement is buried; the channel does not say so. */
  'settler.bury.before-store',
  /** The channel is buried. */
  'settler.bury.after-store',
  /** A checkpoint is signed; it is stored nowhere. */
  'settler.checkpoint.before-store',
  /** A checkpoint, or the last settlement in its place, is stored; it was not filed. */
  'settler.checkpoint.after-store',
  /** The last settlement is filed in place of the checkpoint; the channel does not say so. */
  'settler.order.after-reply',

  // --- signer
  /** Something is judged and signed; neither its line nor its signature has left the process. */
  'signer.log.before-write',
  /** The line was handed to the system; it may not be on the disk, and nothing was answered. */
  'signer.log.before-sync',
  /** The line is on the disk; the signature was not given. */
  'signer.log.after-sync',
  /** A segment of the log is full; nothing of the next one is there. */
  'signer.segment.before-memory',
  /** What is remembered of all before is on the disk; the next segment is not there. */
  'signer.segment.before-file',
  /** The next segment is there without a line. */
  'signer.segment.before-line',
  /** Its first line is on the disk; the one before does not say that it has ended. */
  'signer.segment.after-line',
  /** It does; nothing that was asked for is on the disk. */
  'signer.segment.after-mark',

  // --- chain-watcher
  /** The lease is taken; nothing of the chain is read. */
  'chain.lease.after-take',
  /** A transaction was handed over; it is not stored. */
  'chain.broadcast.before-store',
  /** The transaction is stored; it was not sent. */
  'chain.broadcast.before-send',
  /** The node has taken the transaction; that is not stored. */
  'chain.broadcast.after-send',
  /** What the node said of the transaction is stored; the one who asked has no answer. */
  'chain.broadcast.after-store',
  /** An output is to be watched; that is not stored. */
  'chain.watch.before-store',
  /** The watch is stored; the output's past was not looked up. */
  'chain.watch.after-store',
  /** A block was read; nothing of it is stored. */
  'chain.block.before-connect',
  /** A block is stored with everything that was learnt from it, and the events are in the outbox. */
  'chain.block.after-connect',
  /** A block is to be taken back; it is still stored. */
  'chain.block.before-disconnect',
  /** A block was taken back. */
  'chain.block.after-disconnect',
  /** An outbox message is chosen; it was not sent. */
  'chain.outbox.before-send',
  /** An outbox message was sent; it is not marked as sent. */
  'chain.outbox.after-send',

  /** A dated order is stored; the one who filed it has no answer. */
  'chain.order.after-store',
  /** A dated order is marked as sent; it was not handed to the node. */
  'chain.order.after-mark',

  // --- market-api
  /** A node registers; it is not stored. */
  'market.register.before-store',
  /** The node is stored; it has no answer. */
  'market.register.after-store',
  /** A node asks for its torrents; it has no answer. */
  'market.assignments.before-reply',
  /** A node reports progress; it is not stored. */
  'market.report.before-store',
  /** The progress is stored; the node has no answer. */
  'market.report.after-store',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

/**
 * A named place between two steps. Does nothing, unless the environment variable SEEDFLEET_KILL_AT names it: then the
 * process ends itself there with SIGKILL, as if the plug had been pulled. The variable holds `name` or `name#n` (the
 * n-th passage), or `@FILE`: a file that holds such an order, now or later, and that is removed at the death, so that
 * the process that comes after it lives.
 */
export const faultPoint: (name: FaultPoint) => void = reaper(process.env['SEEDFLEET_KILL_AT']);

interface KillOrder {
  readonly text: string;
  readonly name: string;
  readonly passage: number;
}

function reaper(variable: string | undefined): (name: FaultPoint) => void {
  if (variable === undefined || variable === '') return () => undefined;
  const file = variable.startsWith('@') ? variable.slice(1) : undefined;
  const fixed = file === undefined ? parseOrder(variable) : undefined;
  let passed = 0;
  let counted = '';
  return (name) => {
    const order = file === undefined ? fixed : readOrder(file);
    if (order === undefined || order.name !== name) return;
    // Another order than before counts anew.
    passed = order.text === counted ? passed + 1 : 1;
    counted = order.text;
    if (passed < order.passage) return;
    if (file !== undefined) rmSync(file, { force: true });
    process.kill(process.pid, 'SIGKILL');
  };
}

function readOrder(file: string): KillOrder | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    return undefined; // no order at present
  }
  return text === '' ? undefined : parseOrder(text);
}

/** Throws for a name that is no fault point: a proof that kills nothing proves nothing. */
function parseOrder(text: string): KillOrder {
  const [name = '', passage = '1'] = text.split('#');
  if (!(FAULT_POINTS as readonly string[]).includes(name)) throw new RangeError(`"${name}" is no fault point`);
  if (!/^[1-9]\d{0,5}$/.test(passage)) throw new RangeError(`"${passage}" is no count of passages`);
  return { text, name, passage: Number(passage) };
}
