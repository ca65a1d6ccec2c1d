/** Exit codes of the command, as documented in the README. */
export const ExitCode = {
  /** Data verified and the last payment sent, or nothing left to do. */
  done: 0,
  /** Something failed that has no code of its own. */
  failed: 1,
  /** Wrong words on the command line, or a file named there can't be used. */
  usage: 2,
  /** No seller whose terms fit joined in time. */
  noSeller: 3,
  /** Not enough spendable coins, or the node refused the funding transaction. */
  coins: 4,
  /** The download ended before every piece was there. */
  incomplete: 5,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Ends the command with a message for the user. */
export class BuyerError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    /** Stable word that programs branch on. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
