import { join } from 'node:path';
import { z } from 'zod';
import { readIfThere, writeDurably } from './durable-file.js';

const entry = z.object({
  outpoint: z.string().regex(/^[0-9a-f]{64}:\d{1,10}$/),
  valueSat: z.string().regex(/^\d{1,16}$/),
  index: z.int().min(0),
  height: z.int().min(0),
  seenAt: z.iso.datetime(),
});

export type Received = z.infer<typeof entry>;

/** Coins that somebody sent to an address of the wallet, as they were first seen: a node forgets them once spent. */
export class ReceivedCoins {
  private readonly path: string;
  private known: Map<string, Received> | undefined;

  constructor(walletDir: string) {
    this.path = join(walletDir, 'received.json');
  }

  all(): Received[] {
    return [...this.load().values()];
  }

  /** Writes down those not known yet. */
  note(coins: readonly Received[]): void {
    const known = this.load();
    const fresh = coins.filter(({ outpoint }) => !known.has(outpoint));
    if (fresh.length === 0) return;
    for (const coin of fresh) known.set(coin.outpoint, coin);
    writeDurably(this.path, `${JSON.stringify([...known.values()])}\n`);
  }

  private load(): Map<string, Received> {
    if (this.known === undefined) {
      const list = z.array(entry).parse(JSON.parse(readIfThere(this.path) ?? '[]'));
      this.known = new Map(list.map((coin) => [coin.outpoint, coin]));
    }
    return this.known;
  }
}
