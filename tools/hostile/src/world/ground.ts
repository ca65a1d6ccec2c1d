import { mine } from '@seedfleet/fleet';
import {
  BuyerLink,
  contractFor,
  desktopTerms,
  PeerLink,
  until,
  type BuyerOptions,
  type Contract,
  type Deviation,
  type Share,
} from '@seedfleet/interop';
import type { Network } from '@seedfleet/payment-channel';
import { sourceAddress } from './sources.js';
import type { Money, Target } from './target.js';

const COIN_SAT = 1_000_000n;
/** Any price that an operator may ask. */
const MAX_PRICE_SAT = 1_000_000n;
const PATIENCE_MS = 30_000;

/** Where one hostile buyer works: its subnet, its connections, its money. */
export class Ground {
  private readonly links: BuyerLink[] = [];
  private readonly raw: PeerLink[] = [];

  constructor(
    readonly target: Target,
    private readonly subnet: number,
    /** How many times what is repeated is to be repeated, against the full suite. */
    readonly scale: number,
  ) {}

  /** A buyer from the n-th address of this subnet. It runs no speed test unless told to. */
  buyer(host = 1, options: Partial<BuyerOptions> = {}): BuyerLink {
    const link = new BuyerLink({
      address: this.target.address,
      torrent: this.target.torrent,
      terms: desktopTerms(MAX_PRICE_SAT),
      speedTestBytes: 0,
      ...sourceAddress(this.target, this.subnet, host),
      ...options,
    });
    this.links.push(link);
    return link;
  }

  /** A bare connection. */
  dial(host = 1): PeerLink {
    const link = PeerLink.dial(this.target.address, sourceAddress(this.target, this.subnet, host).localAddress);
    this.raw.push(link);
    return link;
  }

  /** A buyer whose join was accepted. */
  async joined(host = 1, options: Partial<BuyerOptions> = {}): Promise<BuyerLink> {
    const link = this.buyer(host, options);
    await until(
      'joining_contract',
      () => {
        if (link.isClosed) throw new Error(`closed before it joined, after ${link.link.heard.join(' ')}`);
        return link.joined;
      },
      PATIENCE_MS,
    );
    return link;
  }

  /** A contract with the seller of a joined buyer; nothing is broadcast. */
  async contract(link: BuyerLink, deviation: Deviation & { readonly network?: Network } = {}): Promise<Contract> {
    const { wallet } = this.money;
    await wallet.ensure(1, COIN_SAT);
    if (link.joined === undefined) throw new Error('not joined');
    const network = deviation.network ?? this.target.network;
    return contractFor(wallet, network, [link.joined], this.target.torrent.pieces, deviation);
  }

  /** A joined buyer whose funding is confirmed. */
  async funded(
    host = 1,
    deviation: Deviation & { readonly network?: Network } = {},
  ): Promise<{ link: BuyerLink; share: Share }> {
    const link = await this.joined(host);
    const contract = await this.contract(link, deviation);
    await this.money.wallet.broadcast(contract.transaction);
    await this.mine();
    return { link, share: contract.shares[0]! };
  }

  mine(blocks = 1): Promise<unknown> {
    return mine(this.money.rpcUrl, blocks);
  }

  get money(): Money {
    const { money } = this.target;
    if (money === undefined) throw new Error('this buyer needs money');
    return money;
  }

  /** Waits until nothing has come for a while, or the connection is closed: what a greedy buyer gets in the end. */
  async settled(link: BuyerLink, quietMs = 2_000): Promise<void> {
    let received = -1;
    let sinceMs = performance.now();
    const atRest = (): boolean => {
      if (link.received !== received) {
        received = link.received;
        sinceMs = performance.now();
      }
      return link.isClosed || performance.now() - sinceMs > quietMs;
    };
    await until('the node to stop giving', atRest, 60_000);
  }

  async closed(link: BuyerLink | PeerLink, what: string, timeoutMs = PATIENCE_MS): Promise<void> {
    await until(what, () => link.isClosed, timeoutMs);
  }

  /** Pieces that came and were not paid, over all buyers of this ground. */
  get unpaidPieces(): number {
    return this.links.reduce((sum, { received, payments }) => sum + Math.max(0, received - payments), 0);
  }

  /** What the node asked for a piece, the last time that it told; undefined where it never did. */
  get priceSat(): bigint | undefined {
    return this.links.findLast(({ offers }) => offers.length > 0)?.offers.at(-1)?.terms.minPrice;
  }

  /** Bytes of content that came by the standard protocol. */
  get plainBytes(): number {
    return [...this.links.map(({ link }) => link), ...this.raw].reduce((sum, { freeBytes }) => sum + freeBytes, 0);
  }

  leave(): void {
    for (const { link } of this.links) link.destroy();
    for (const link of this.raw) link.destroy();
  }
}
