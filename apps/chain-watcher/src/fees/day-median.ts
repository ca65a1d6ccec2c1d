/** Quantiles of a bounded number of samples no older than a span; for fee rates over a day. Pure but for its memory. */
export class SlidingMedian {
  readonly #samples: { readonly atMs: number; readonly value: bigint }[] = [];

  constructor(
    private readonly spanMs: number,
    private readonly maxSamples: number,
  ) {}

  add(value: bigint, atMs: number): void {
    this.#samples.push({ atMs, value });
    while (this.#samples.length > this.maxSamples || (this.#samples[0]?.atMs ?? atMs) <= atMs - this.spanMs) {
      this.#samples.shift();
    }
  }

  /** Undefined without samples; of two middle ones the higher, so that fees are not underestimated. */
  median(): bigint | undefined {
    return this.quantile(1, 2);
  }

  /** The sample that `part` of so many equal parts of all samples lie below. Undefined without samples. */
  quantile(part: number, parts: number): bigint | undefined {
    const sorted = this.#samples.map((sample) => sample.value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return sorted[Math.floor((sorted.length * part) / parts)];
  }
}
