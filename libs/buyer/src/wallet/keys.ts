import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Network } from '@seedfleet/payment-channel';
import {
  channelKeychain,
  mnemonicOf,
  openSeed,
  sealSeed,
  SEED_FILE_RANDOM_BYTES,
  seedOf,
  walletAccount,
  type ChannelKeys,
  type KeyPair,
  type WalletAccount,
} from '@seedfleet/wallet';
import { z } from 'zod';
import { BuyerError, ExitCode } from '../failure.js';
import { readIfThere, writeDurably } from './durable-file.js';
import { lockWallet, unlockWallet } from './lock.js';

const ENTROPY_BYTES = 32;
const KEY_FILE_BYTES = 32;
/** Channel keys of a leecher are all of one epoch: its indices are on disk before they are used. */
const EPOCH = 0;

const progress = z.object({ version: z.literal(1), nextChannel: z.int().min(0), nextChange: z.int().min(0) });

/** The wallet's keys: one encrypted seed, and how many of its keys are in use. One process at a time. */
export class WalletKeys {
  private constructor(
    private readonly dir: string,
    private readonly channels: ReturnType<typeof channelKeychain>,
    readonly account: WalletAccount,
    private used: z.infer<typeof progress>,
  ) {}

  /**
   * Opens the folder's seed, or makes one on first use. `seed.key` decrypts `seed.json`: back up both.
   * @param walletNetwork decides the kind of the wallet's own addresses.
   */
  static open(dir: string, walletNetwork: Network, channelNetwork: Network): WalletKeys {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    lockWallet(dir);
    const seed = loadSeed(dir);
    const text = readIfThere(join(dir, 'wallet.json'));
    return new WalletKeys(
      dir,
      channelKeychain(seed, channelNetwork),
      walletAccount(seed, walletNetwork),
      text === undefined ? { version: 1, nextChannel: 0, nextChange: 0 } : progress.parse(JSON.parse(text)),
    );
  }

  /** A channel index never used before; it is on disk as used once this returns. */
  takeChannelIndex(): number {
    const index = this.used.nextChannel;
    this.save({ ...this.used, nextChannel: index + 1 });
    return index;
  }

  /** A change index never used before; it is on disk as used once this returns. */
  takeChangeIndex(): number {
    const index = this.used.nextChange;
    this.save({ ...this.used, nextChange: index + 1 });
    return index;
  }

  channel(index: number): ChannelKeys {
    return this.channels.at({ epoch: EPOCH, index });
  }

  get receiveKey(): KeyPair {
    return this.account.key('receive', 0);
  }

  /** Every key that may hold coins, with the form of its output. */
  coinKeys(): { readonly key: KeyPair; readonly kind: 'p2wpkh' | 'p2pkh' }[] {
    const { kind } = this.account;
    const change = Array.from({ length: this.used.nextChange }, (_, index) => this.account.key('change', index));
    // Settlements and refunds pay to P2PKH: the wire knows no other form.
    const payouts = Array.from({ length: this.used.nextChannel }, (_, index) => this.channel(index).payout);
    return [
      ...[this.receiveKey, ...change].map((key) => ({ key, kind })),
      ...payouts.map((key) => ({ key, kind: 'p2pkh' as const })),
    ];
  }

  close(): void {
    unlockWallet(this.dir);
  }

  private save(used: z.infer<typeof progress>): void {
    writeDurably(join(this.dir, 'wallet.json'), `${JSON.stringify(used)}\n`);
    this.used = used;
  }
}

function loadSeed(dir: string): Uint8Array {
  const [seedFile, keyFile] = [join(dir, 'seed.json'), join(dir, 'seed.key')];
  const sealed = readIfThere(seedFile);
  if (sealed === undefined) {
    const entropy = randomBytes(ENTROPY_BYTES);
    const secret = readIfThere(keyFile)?.trim() ?? randomBytes(KEY_FILE_BYTES).toString('hex');
    writeDurably(keyFile, `${secret}\n`);
    writeDurably(seedFile, sealSeed(entropy, secret, randomBytes(SEED_FILE_RANDOM_BYTES)));
    return seedOf(mnemonicOf(entropy));
  }
  const secret = readIfThere(keyFile)?.trim();
  if (secret === undefined || secret === '') {
    throw new BuyerError(ExitCode.failed, 'seed-key-missing', `${keyFile} is missing: it decrypts ${seedFile}`);
  }
  const opened = openSeed(sealed, secret);
  if (!opened.ok) throw new BuyerError(ExitCode.failed, opened.code, `${seedFile} can't be opened: ${opened.code}`);
  return seedOf(mnemonicOf(opened.seed));
}
