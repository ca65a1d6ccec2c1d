const DAY_MS = 86_400_000;
const TOGETHER_MS = 60_000;

/** What was signed for in fees within a day, those of a minute together and dated by the last of them. */
export class FeesOfADay {
  private readonly minutes = new Map<number, { atMs: number; sat: bigint }>();

  add(sat: bigint, atMs: number): void {
    const minute = Math.floor(atMs / TOGETHER_MS);
    const there = this.minutes.get(minute) ?? { atMs, sat: 0n };
    this.minutes.set(minute, { atMs: Math.max(atMs, there.atMs), sat: there.sat + sat });
    // More than a day's: a clock that was wrong leaves some of another time.
    for (const old of this.minutes.keys()) if (old * TOGETHER_MS < atMs - DAY_MS) this.minutes.delete(old);
  }

  /** Oldest first, milliseconds since 1970 and satoshi. */
  all(): (readonly [number, bigint])[] {
    return [...this.minutes.values()]
      .sort((one, other) => one.atMs - other.atMs)
      .map(({ atMs, sat }) => [atMs, sat] as const);
  }
}
