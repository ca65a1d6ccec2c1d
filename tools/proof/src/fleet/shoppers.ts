import { ProofBuyer } from '../buyer/buyer.js';
import { channelFaults } from '../world/verdict.js';
import { waitFor, type Goods, type World } from '../world/world.js';

const PIECES = 6;
const PAUSE_MS = 1_500;
const SALE_MS = 90_000;

/** Buyers that come one after another for whatever is on sale, from whoever sells it, until they are told to stop. */
export class Shoppers {
  readonly buyers: ProofBuyer[] = [];
  private stopped = false;
  private readonly loops: Promise<void>[];

  /** @param most sales begun in all: each needs a coin */
  constructor(
    private readonly world: World,
    private readonly goods: readonly Goods[],
    atOnce: number,
    private readonly most: number,
  ) {
    this.loops = Array.from({ length: atOnce }, (_, index) => this.shop(index));
  }

  /** Sales that brought everything that was wanted. */
  get complete(): number {
    return this.buyers.filter(({ paid }) => paid === PIECES).length;
  }

  /** Waits until so many more sales were complete. */
  more(count: number, what: string): Promise<void> {
    const target = this.complete + count;
    return waitFor(() => this.complete >= target, SALE_MS, `${count} more sales ${what}`);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.loops);
  }

  /** What is wrong with the money of any of them, once all channels have ended. */
  async faults(): Promise<string[]> {
    const each = await Promise.all(
      // Where the seller ended the connection, a payment may have been on its way: it was not acknowledged.
      this.buyers.map((buyer) => channelFaults(this.world, buyer, { sellerDied: buyer.closed !== 'left' })),
    );
    return each.flat();
  }

  private async shop(index: number): Promise<void> {
    for (let turn = index; !this.stopped && this.buyers.length < this.most; turn += 1) {
      const goods = this.goods[turn % this.goods.length];
      if (goods === undefined) return;
      const sellers = await this.world.market.sellers(goods.metainfo.infoHash).catch(() => []);
      const seller = sellers[turn % Math.max(1, sellers.length)];
      if (seller !== undefined) {
        const buyer = new ProofBuyer(this.world.chain, goods.metainfo, { pieces: PIECES });
        this.buyers.push(buyer);
        await buyer.play(seller);
        buyer.closed ??= 'left';
        // One that never funded costs nothing and shows nothing.
        if (buyer.funding === undefined) this.buyers.splice(this.buyers.indexOf(buyer), 1);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
