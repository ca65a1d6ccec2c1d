/**
 * The states of a channel as stored, each with what is true in it and who moves it on.
 */
export const CHANNEL_STATES = [
  /** We answered `joining_contract`; no money yet. The intake expires it, or takes `ready` and looks for the funding. */
  'joined',
  /** The funding output was seen and is ours, but not yet deep enough to serve all. The intake follows it. */
  'funding-seen',
  /** Deep enough for its value: everything up to kCap may be served. The intake follows it, the deadline ends it. */
  'funded',
  /** No piece leaves any more; the settler freezes k, if that is not done, and settles. */
  'closing',
  /** Settlement bytes are stored and with the chain watcher, not yet mined. The settler follows them. */
  'settling',
  /** The settlement is mined, not yet 6 deep. The settler follows it. */
  'settled',
  /** The settlement pays us and is 6 deep. Final. */
  'buried',
  /** The settlement returned the buyer's change, paid us nothing (k below kMin), and is 6 deep. Final. */
  'returned',
  /** Nothing to settle: k = 0, or k below kMin and left to the buyer's refund. Final. */
  'nothing-owed',
  /** Joined, but never funded: it waited too long, or the connection ended before `ready`. Final. */
  'join-expired',
  /** The funding failed a check; nothing was served. Final. */
  'refused',
  /** The funding transaction can't be found: never seen, or vanished. Payments, if any, wait for it to come back. */
  'funding-missing',
  /** The node refuses the settlement. The settler tries again, with growing pauses. */
  'settle-rejected',
  /** Somebody else's spend of the funding output is known, and not yet final. The settler keeps ours going. */
  'refund-seen',
  /** Somebody else's spend of the funding output is 6 deep, or the funding never came back. Final. */
  'lost',
] as const;

export type ChannelState = (typeof CHANNEL_STATES)[number];

/** States in which the intake looks after the channel. */
export const INTAKE_STATES = ['joined', 'funding-seen', 'funded'] as const satisfies readonly ChannelState[];

/** States in which the settler looks after the channel. */
export const SETTLER_STATES = [
  'closing',
  'settling',
  'settled',
  'settle-rejected',
  'refund-seen',
  'funding-missing',
] as const satisfies readonly ChannelState[];

/** Final states that a reorganisation can undo. */
export const CHAIN_FINAL_STATES = ['buried', 'returned', 'lost'] as const satisfies readonly ChannelState[];
