import type { World } from './world.js';

const MINE_EVERY_MS = 300;

/** Mines what waits in the mempool, a few blocks a second. */
export class Miner {
  private resting = false;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly world: World) {
    this.schedule();
  }

  rest(resting: boolean): void {
    this.resting = resting;
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private schedule(): void {
    if (!this.stopped) this.timer = setTimeout(() => void this.look(), MINE_EVERY_MS);
  }

  private async look(): Promise<void> {
    try {
      const { chain } = this.world;
      if (!this.resting && (await chain.mempool()).length > 0 && !this.resting) await chain.mine(1);
    } catch {
      // The node is away: its supervisor brings it back.
    }
    this.schedule();
  }
}
