/** Once enough have joined, how long the others may take: the fastest are picked, so late answers lose anyhow. */
const CHOICE_GRACE_MS = 3_000;
/** Fewer than wanted are taken too, but not before the others have had some time. */
const MAX_ROUNDS = 3;

/** Decides when to choose among the sellers that have joined. */
export class Choice {
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param joined how many sellers have joined; undefined when there is nothing to choose just now
   * @param wanted how many are wanted
   */
  constructor(
    private readonly joined: () => number | undefined,
    private readonly wanted: number,
    private readonly choose: () => void,
  ) {}

  /** Chooses after a grace for the slower ones. */
  soon(rounds = 1): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const joined = this.joined();
      if (joined === undefined) return;
      if (joined >= this.wanted || rounds >= MAX_ROUNDS) this.choose();
      else this.soon(rounds + 1);
    }, CHOICE_GRACE_MS);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
