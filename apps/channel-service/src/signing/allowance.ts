/** So much within a time, refilled evenly: a bucket, which is full at first. Reckoned in whole numbers. */
export class Allowance {
  /** What is left, times `perMs`. */
  private left: bigint;
  private atMs: bigint | undefined;
  private readonly full: bigint;
  private readonly perMs: bigint;

  /** @param amount how much there is; @param perMs how long an empty bucket takes to be full */
  constructor(
    private readonly amount: bigint,
    perMs: number,
  ) {
    this.perMs = BigInt(perMs);
    this.full = amount * this.perMs;
    this.left = this.full;
  }

  /** Takes as much where it is there; false, and nothing is taken, where it is not. */
  take(wanted: bigint, nowMs: number): boolean {
    this.refill(nowMs);
    const taken = wanted * this.perMs;
    if (taken > this.left) return false;
    this.left -= taken;
    return true;
  }

  /** Notes what was taken before: below nothing is nothing. */
  charge(taken: bigint, nowMs: number): void {
    this.refill(nowMs);
    const after = this.left - taken * this.perMs;
    this.left = after < 0n ? 0n : after;
  }

  /** How much of it is used, 0 … 1 in thousandths: for people to look at. */
  usedShare(nowMs: number): number {
    this.refill(nowMs);
    return this.full === 0n ? 1 : Number(((this.full - this.left) * 1_000n) / this.full) / 1_000;
  }

  /** A clock that goes back gives nothing. */
  private refill(nowMs: number): void {
    const now = BigInt(Math.floor(nowMs));
    const elapsed = this.atMs === undefined || now < this.atMs ? 0n : now - this.atMs;
    const filled = this.left + elapsed * this.amount;
    this.left = filled > this.full ? this.full : filled;
    if (this.atMs === undefined || now > this.atMs) this.atMs = now;
  }
}
