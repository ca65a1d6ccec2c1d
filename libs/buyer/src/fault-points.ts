/**
 * Every place where the leecher can be told to die, between two steps that store, send or broadcast. Each comment says
 * what was done before, and what not yet.
 */
export const BUYER_FAULT_POINTS = [
  /** A fresh seed is made; it is stored nowhere, and no address of it is known to anybody. */
  'seed.before-store',
  /** The seed is stored. */
  'seed.after-store',
  /** A channel index is taken and stored; its contract does not exist. */
  'index.after-store',
  /** The contract is signed; nothing of it is stored. */
  'contract.before-store',
  /** Keys' index, script, terms and transaction are stored; nothing was broadcast. */
  'contract.after-store',
  /** The node has the deposit; that is not stored. */
  'contract.after-broadcast',
  /** The node has the deposit, and that is stored; no seller was told. */
  'contract.before-announce',
  /** The sellers know their outputs. */
  'contract.after-announce',
  /** A good piece is in memory. */
  'piece.before-write',
  /** A good piece is on disk; it is not paid for. */
  'piece.after-write',
  /** A payment was handed to the socket. */
  'payment.after-send',
  /** Everything is there and paid; the end is not written down. */
  'download.before-end',
  /** A refund is signed; it is not stored. */
  'refund.before-store',
  /** The refund is stored; it was not broadcast. */
  'refund.after-store',
  /** The node has the refund; nothing was noted since. */
  'refund.after-broadcast',
  /** The chain shows how a deposit ended; that is not stored. */
  'booking.before-store',
  /** How a deposit ended is stored. */
  'booking.after-store',
  /** A payment out of the wallet is signed; it is not stored. */
  'send.before-store',
  /** It is stored; it was not broadcast. */
  'send.after-store',
  /** The node has it; that is not stored. */
  'send.after-broadcast',
] as const;

export type BuyerFaultPoint = (typeof BUYER_FAULT_POINTS)[number];

const order = parseOrder(process.env['LEECHER_KILL_AT']);
let passed = 0;

/**
 * A named place between two steps. Does nothing, unless the environment variable LEECHER_KILL_AT names it, as `name` or
 * `name#n` for the n-th passage: then the process ends itself there with SIGKILL, as if the plug had been pulled.
 */
export function faultPoint(name: BuyerFaultPoint): void {
  if (order?.name !== name) return;
  passed += 1;
  if (passed === order.passage) process.kill(process.pid, 'SIGKILL');
}

/** Throws for a name that is no fault point: a proof that kills nothing proves nothing. */
function parseOrder(text: string | undefined): { readonly name: string; readonly passage: number } | undefined {
  if (text === undefined || text === '') return undefined;
  const [name = '', passage = '1'] = text.split('#');
  if (!(BUYER_FAULT_POINTS as readonly string[]).includes(name)) throw new RangeError(`"${name}" is no fault point`);
  if (!/^[1-9]\d{0,5}$/.test(passage)) throw new RangeError(`"${passage}" is no count of passages`);
  return { name, passage: Number(passage) };
}
