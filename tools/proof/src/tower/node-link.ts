import { patientRpc } from '../world/rpc.js';

const EVERY_MS = 100;
/** Blocks that two branches may differ by. */
const MAX_BRANCH = 200;

/** What two Bitcoin nodes would tell one another: blocks one way, transactions both ways. It can be cut and mended. */
export class NodeLink {
  private cut = false;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  /**
   * @param from where blocks are mined
   * @param to the node that follows
   */
  constructor(
    private readonly from: string,
    private readonly to: string,
  ) {
    this.running = this.run();
  }

  break(): void {
    this.cut = true;
  }

  mend(): void {
    this.cut = false;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        if (!this.cut) await this.pass();
      } catch {
        // A node is away, or the chain moved between two questions: the next pass is near.
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  private async pass(): Promise<void> {
    const height = await this.call<number>(this.from, 'getblockcount');
    const other = await this.call<number>(this.to, 'getblockcount');
    let common = Math.min(height, other);
    const floor = Math.max(0, common - MAX_BRANCH);
    while (common > floor && (await this.hashAt(this.from, common)) !== (await this.hashAt(this.to, common)))
      common -= 1;
    for (let at = common + 1; at <= height && !this.cut; at += 1) {
      const hash = await this.hashAt(this.from, at);
      const { time } = await this.call<{ time: number }>(this.from, 'getblockheader', hash);
      // Blocks of a time that the proof has made up are no future there either.
      await this.call(this.to, 'setmocktime', Math.max(time, Math.floor(Date.now() / 1_000)));
      await this.call(this.to, 'submitblock', await this.call<string>(this.from, 'getblock', hash, 0));
    }
    await this.pour(this.from, this.to);
    await this.pour(this.to, this.from);
  }

  private async pour(from: string, to: string): Promise<void> {
    const there = new Set(await this.call<string[]>(to, 'getrawmempool'));
    for (const txid of await this.call<string[]>(from, 'getrawmempool')) {
      if (there.has(txid) || this.cut) continue;
      const hex = await this.call<string>(from, 'getrawtransaction', txid);
      await this.call(to, 'sendrawtransaction', hex).catch(() => undefined);
    }
  }

  private hashAt(url: string, height: number): Promise<string> {
    return this.call<string>(url, 'getblockhash', height);
  }

  private call<T>(url: string, method: string, ...params: unknown[]): Promise<T> {
    return patientRpc<T>(url, method, params);
  }
}
