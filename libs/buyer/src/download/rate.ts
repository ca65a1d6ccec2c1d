const WINDOW = 6;

/** Speed over the last few seconds, from a count that only grows, sampled about once a second. */
export class Rate {
  private readonly samples: { readonly atMs: number; readonly count: number }[] = [];

  sample(count: number, atMs: number): void {
    this.samples.push({ atMs, count });
    if (this.samples.length > WINDOW) this.samples.shift();
  }

  /** Per second; 0 before there are two samples. */
  get perSecond(): number {
    const [first] = this.samples;
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return ((last.count - first.count) * 1_000) / (last.atMs - first.atMs);
  }
}
