/** Runs pieces of work one after another, so that rows are read and written at one known tip. Bounded. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(private readonly maxWaiting: number) {}

  /** Pieces waiting or running. */
  get load(): number {
    return this.#waiting;
  }

  /** Rejects with what the work rejects with, or with an Error if too much is waiting. */
  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.maxWaiting) return Promise.reject(new Error('chain-watcher: too much work is waiting'));
    this.#waiting += 1;
    const done = this.#last.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** The work's value if it is there in time, else the other one; the work goes on. Rejects only in time. */
export async function firstOf<T>(work: Promise<T>, otherwise: T, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), withinMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // A failure after the answer was given has been counted where it happened; it must not end the process.
    work.catch(() => undefined);
  }
}
