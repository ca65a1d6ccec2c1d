/** A counting gate: at most `width` holders, at most `maxWaiting` in line, first come first served. */
export class Gate {
  #held = 0;
  readonly #line: Array<() => void> = [];

  constructor(
    private readonly width: number,
    private readonly maxWaiting: number,
  ) {}

  /** Requests that hold the gate or wait for it. */
  get load(): number {
    return this.#held + this.#line.length;
  }

  /** Runs `work` when there is room; undefined, without running it, if the line is full. */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#held >= this.width) {
      if (this.#line.length >= this.maxWaiting) return undefined;
      await new Promise<void>((enter) => this.#line.push(enter));
    } else {
      this.#held += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#line.shift();
      if (next) next();
      else this.#held -= 1;
    }
  }
}
