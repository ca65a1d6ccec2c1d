import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Network } from '@seedfleet/payment-channel';
import {
  channelKeychain,
  noteKey,
  seedOf,
  walletAccount,
  type ChannelKeychain,
  type ChannelKeys,
  type KeyPair,
  type WalletAccount,
  type WalletChain,
} from '@seedfleet/wallet';
import { z } from 'zod';
import { faultPoint } from '../fault-points.js';
import { readIfThere, writeDurably } from './durable-file.js';
import { lockWallet, unlockWallet } from './lock.js';
import { createSeed, hasSeed, readWords, type SeedProtection } from './seed.js';

/** Channel keys of a leecher are all of one epoch: its indices are on disk before they are used. */
const EPOCH = 0;

/** Unused addresses that are still looked at beyond the last used one (BIP 44). */
export const ADDRESS_GAP = 20;

const progress = z.object({
  version: z.literal(1),
  nextChannel: z.int().min(0),
  nextChange: z.int().min(0),
  nextReceive: z.int().min(0).default(0),
});

/** A key that may hold coins, and what it is for. */
export interface CoinKey {
  readonly key: KeyPair;
  readonly kind: 'p2wpkh' | 'p2pkh';
  readonly use: WalletChain | 'payout';
  readonly index: number;
}

/** The wallet's keys: one encrypted seed, and how many of its keys are in use. One process at a time. */
export class WalletKeys {
  private readonly keychains = new Map<Network, ChannelKeychain>();
  private readonly derived = new Map<string, KeyPair>();

  private constructor(
    private readonly dir: string,
    private readonly seed: Uint8Array,
    private readonly channelNetwork: Network,
    readonly account: WalletAccount,
    private used: z.infer<typeof progress>,
  ) {}

  /**
   * Opens the folder's seed, or makes one on first use.
   * @param walletNetwork decides the kind of the wallet's own addresses.
   */
  static open(
    dir: string,
    walletNetwork: Network,
    channelNetwork: Network,
    protection: SeedProtection = {},
  ): WalletKeys {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    lockWallet(dir);
    try {
      if (!hasSeed(dir)) createSeed(dir, protection);
      const seed = seedOf(readWords(dir, protection));
      const text = readIfThere(join(dir, 'wallet.json'));
      const used = progress.parse(
        text === undefined ? { version: 1, nextChannel: 0, nextChange: 0 } : JSON.parse(text),
      );
      return new WalletKeys(dir, seed, channelNetwork, walletAccount(seed, walletNetwork), used);
    } catch (failure) {
      unlockWallet(dir);
      throw failure;
    }
  }

  /** A channel index never used before; it is on disk as used once this returns. */
  takeChannelIndex(): number {
    const index = this.used.nextChannel;
    this.save({ ...this.used, nextChannel: index + 1 });
    faultPoint('index.after-store');
    return index;
  }

  /** A change index never used before; it is on disk as used once this returns. */
  takeChangeIndex(): number {
    const index = this.used.nextChange;
    this.save({ ...this.used, nextChange: index + 1 });
    return index;
  }

  /** These indices are in use; durable once this returns. Returns whether that was news. */
  markUsed(use: CoinKey['use'], index: number): boolean {
    const field = ({ receive: 'nextReceive', change: 'nextChange', payout: 'nextChannel' } as const)[use];
    if (index < this.used[field]) return false;
    this.save({ ...this.used, [field]: index + 1 });
    return true;
  }

  /** Keys of a channel; of another network's where a record names it. */
  channel(index: number, network: Network = this.channelNetwork): ChannelKeys {
    let keychain = this.keychains.get(network);
    if (keychain === undefined) this.keychains.set(network, (keychain = channelKeychain(this.seed, network)));
    return keychain.at({ epoch: EPOCH, index });
  }

  /** Seals the notes in funding transactions. */
  get noteKey(): Uint8Array {
    return noteKey(this.seed, this.channelNetwork);
  }

  /** The first address that has never received anything. */
  get receiveKey(): KeyPair {
    return this.walletKey('receive', this.used.nextReceive);
  }

  get nextChannel(): number {
    return this.used.nextChannel;
  }

  /** Every key that may hold coins, the gap beyond the used ones included. */
  coinKeys(gap = ADDRESS_GAP): CoinKey[] {
    const { kind } = this.account;
    const upTo = (used: number) => Array.from({ length: used + gap }, (_, index) => index);
    const own = (use: WalletChain, used: number) =>
      upTo(used).map((index): CoinKey => ({ key: this.walletKey(use, index), kind, use, index }));
    // Settlements and refunds pay to P2PKH: the wire knows no other form.
    const payouts = upTo(this.used.nextChannel).map((index): CoinKey => ({
      key: this.payoutKey(index),
      kind: 'p2pkh',
      use: 'payout',
      index,
    }));
    return [...own('receive', this.used.nextReceive), ...own('change', this.used.nextChange), ...payouts];
  }

  walletKey(use: WalletChain, index: number): KeyPair {
    return this.remembered(`${use}/${index}`, () => this.account.key(use, index));
  }

  close(): void {
    unlockWallet(this.dir);
  }

  private payoutKey(index: number): KeyPair {
    return this.remembered(`payout/${index}`, () => this.channel(index).payout);
  }

  /** Deriving a key takes about a millisecond, and the same ones are asked for again and again. */
  private remembered(name: string, derive: () => KeyPair): KeyPair {
    const known = this.derived.get(name);
    if (known !== undefined) return known;
    const key = derive();
    this.derived.set(name, key);
    return key;
  }

  private save(used: z.infer<typeof progress>): void {
    writeDurably(join(this.dir, 'wallet.json'), `${JSON.stringify(used)}\n`);
    this.used = used;
  }
}
