/** Strangers that must agree; one alone could make us announce somebody else's address. */
const QUORUM = 3;
/** Voters remembered; the oldest are forgotten. */
const MAX_VOTERS = 64;

/** Our address as others see it, once enough of them agree. */
export class OwnAddress {
  /** By voter; the newest vote of each counts. */
  private readonly votes = new Map<string, string>();

  observe(address: string, voter: string): void {
    this.votes.delete(voter);
    this.votes.set(voter, address);
    const oldest = this.votes.keys().next();
    if (this.votes.size > MAX_VOTERS && oldest.done !== true) this.votes.delete(oldest.value);
  }

  /** The address with most votes, if it has enough and more than half. */
  get agreed(): string | undefined {
    const counts = new Map<string, number>();
    for (const address of this.votes.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
    const best = [...counts].sort(([, a], [, b]) => b - a)[0];
    return best !== undefined && best[1] >= QUORUM && best[1] * 2 > this.votes.size ? best[0] : undefined;
  }
}
