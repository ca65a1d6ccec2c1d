/**
 * The signer gave no answer, or none that can be true, or has had enough for now. Nothing was refused: whatever needs it is
 * tried again, and what was asked for is no worse for it.
 */
export class SignerAway extends Error {
  readonly code = 'signer-away';

  constructor(
    message: string,
    /** When it is worth asking again. */
    readonly retryInSeconds: number,
  ) {
    super(message);
  }
}
