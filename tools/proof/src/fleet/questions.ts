const EVERY_MS = 100;
const ANSWER_MS = 5_000;

/** Asks the market API all the time, as a proxy in front of two of them does: the other one where one does not answer. */
export class Questions {
  asked = 0;
  readonly unanswered: string[] = [];
  private readonly timer: NodeJS.Timeout;
  private turn = 0;

  /** @param urls of the market API's processes */
  constructor(private readonly urls: readonly string[]) {
    this.timer = setInterval(() => void this.ask(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async ask(): Promise<void> {
    this.asked += 1;
    const first = this.turn++ % this.urls.length;
    const problems: string[] = [];
    for (let step = 0; step < this.urls.length; step += 1) {
      const url = this.urls[(first + step) % this.urls.length] ?? '';
      try {
        const answer = await fetch(`${url}/v1/market/torrents`, { signal: AbortSignal.timeout(ANSWER_MS) });
        // Too many questions of one address are an answer too.
        if (answer.ok || answer.status === 429) return;
        problems.push(`HTTP ${answer.status}`);
      } catch (failure) {
        problems.push(String(failure));
      }
    }
    this.unanswered.push(problems.join('; '));
  }
}
