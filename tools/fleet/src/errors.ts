/** Why the tool stops. The code is for programs and tests, the three texts are for the person in front of it. */
export type FleetErrorCode =
  /** The state folder can't be created, read or written, or holds files of another program under our names. */
  | 'state-dir-unusable'
  /** Another fleet is running from the same state folder. */
  | 'state-dir-busy'
  /** No fleet runs from the state folder. */
  | 'not-running'
  /** The broker has no user of that name. */
  | 'unknown-credential'
  /** A server named by the environment does not answer. */
  | 'server-unreachable'
  /** A server answers but can't be used: wrong version, network, or a missing feature. */
  | 'server-unsuitable'
  /** There is no server, no binary, and nothing may be or can be brought. */
  | 'server-missing'
  /** Bringing a package failed. */
  | 'bring-failed'
  /** A process that this tool started exited or did not become ready. */
  | 'process-failed'
  /** Data that this fleet recorded earlier is gone; starting afresh would hide the loss. */
  | 'data-gone'
  /** Preparing the database failed. */
  | 'database-failed'
  /** A backup can't be taken, or is damaged, or can't go where it should. */
  | 'backup-refused'
  /** A service of the fleet answered a request with an error. */
  | 'service-refused'
  /** The buyer did not finish. */
  | 'purchase-failed'
  /** What was sold, paid or booked is not what it should be. */
  | 'sale-differs'
  /** Something that should have happened did not, in the time given. */
  | 'timed-out'
  /** The person asked for an end (Ctrl-C) while a step ran. */
  | 'interrupted';

/** An expected failure: what failed, why, and what the person can do about it. */
export class FleetError extends Error {
  override readonly name = 'FleetError';

  constructor(
    readonly code: FleetErrorCode,
    readonly what: string,
    readonly why: string,
    readonly todo: string,
  ) {
    super(`${what}: ${why}`);
  }
}

/** The text of whatever was thrown, without its stack. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  if (thrown instanceof Error) return thrown.message === '' ? String(thrown) : thrown.message;
  return String(thrown);
}
