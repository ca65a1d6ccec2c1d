import { createHash } from 'node:crypto';
import { toHex, type ChannelParameters } from '@seedfleet/payment-channel';
import type { ChannelKeyPath } from '@seedfleet/wallet';
import { settledPayment } from '../checkpoints/settled-payment.js';
import type {
  ChildOrder,
  PublicContractKey,
  SettlementOrder,
  SignedSettlement,
  SignedTreasury,
  Signer,
  SplitOrder,
  SweepOrder,
} from '../keys/signer.js';
import { Allowance } from './allowance.js';
import { SignedBefore } from './signed-before.js';
import type { SigningEntry } from './log-lines.js';

/** Where entries are written before their signatures leave. */
export interface EntryLog {
  append(entry: SigningEntry): Promise<void>;
  /** Resolves once everything that was appended is on the disk. */
  settled(): Promise<void>;
}

/** How much is signed at most. */
export interface SigningLimits {
  readonly settlementsPerMinute: number;
  readonly childrenPerMinute: number;
  readonly treasuryPerHour: number;
  readonly lookupsPerMinute: number;
  /** Of children and, apart from them, of sweeps and splits. */
  readonly feeSatPerDay: bigint;
}

export interface GuardOptions {
  readonly limits: SigningLimits;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Up to here settlements below one that was signed are signed too: a database was restored that has lost payments. */
  readonly lowerPaymentsUntilMs: number;
  /** So long after a copy of the log was put back, a key with which nothing was signed since may have signed more than is known. */
  readonly unsureForMs: number;
  /** Up to here such keys sign all the same: the operator vouches for the settler. */
  readonly unsureSignUntilMs: number;
}

/** Asked for more than is answered in a time: ask again later. */
export class RateLimited extends Error {
  readonly code = 'rate-limited';
}

/** The log was put back from a copy, and may lack what was signed with this key: ask again when the operator has spoken. */
export class LogRestored extends Error {
  readonly code = 'log-restored';
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Output of a settlement that pays us. */
const EARNED_VOUT = 1;

/**
 * A signer that trusts nobody: it judges each order by the rules of the one inside, by what it has signed before, and by how
 * much it was asked for lately; and has each signature on the disk before it gives it. The same order again gets the same
 * signature and no second line.
 */
export class GuardedSigner implements Signer {
  private before = new SignedBefore();
  private readonly rates;
  private readonly fees;

  constructor(
    private readonly inner: Signer,
    private readonly options: GuardOptions,
  ) {
    const { settlementsPerMinute, childrenPerMinute, treasuryPerHour, lookupsPerMinute, feeSatPerDay } = options.limits;
    this.rates = {
      settlement: new Allowance(BigInt(settlementsPerMinute), MINUTE_MS),
      child: new Allowance(BigInt(childrenPerMinute), MINUTE_MS),
      treasury: new Allowance(BigInt(treasuryPerHour), HOUR_MS),
      lookup: new Allowance(BigInt(lookupsPerMinute), MINUTE_MS),
    };
    this.fees = { child: new Allowance(feeSatPerDay, DAY_MS), treasury: new Allowance(feeSatPerDay, DAY_MS) };
  }

  private log: EntryLog = {
    append: () => Promise.reject(new Error('no log is open')),
    settled: () => Promise.reject(new Error('no log is open')),
  };

  /** Learns what was signed, before anything is; what is signed from then on is noted there. */
  recall(before: SignedBefore): void {
    this.before = before;
    for (const kind of ['child', 'treasury'] as const) {
      for (const [atMs, sat] of before.feesOf(kind)) this.fees[kind].charge(sat, atMs);
    }
  }

  /** From here on signatures are given. */
  writeTo(log: EntryLog): void {
    this.log = log;
  }

  /** Until when keys may have signed more than the log knows; undefined where it is whole, or that is over. */
  get unsureUntilMs(): number | undefined {
    const untilMs = (this.before.restoredAtMs ?? -Infinity) + this.options.unsureForMs;
    return this.options.now() < untilMs ? untilMs : undefined;
  }

  /** How much of a day's fees is used, 0 … 1. */
  feesUsed(kind: 'child' | 'treasury'): number {
    return this.fees[kind].usedShare(this.options.now());
  }

  async publicKey(path: ChannelKeyPath): Promise<PublicContractKey> {
    this.count('lookup');
    return this.inner.publicKey(path);
  }

  async hashAddress(address: string): Promise<string> {
    this.count('lookup');
    return this.inner.hashAddress(address);
  }

  async signSettlement(order: SettlementOrder): Promise<SignedSettlement> {
    this.count('settlement');
    const path = nameOf(order.path);
    const channel = channelDigest(order.channel);
    const signed = await attempt(() => this.inner.signSettlement(order));
    if (!signed.ok) return signed;
    // Without a pause from here to the note: two orders at once are judged one after the other.
    const { txid } = signed.transaction;
    const { k } = order;
    if (this.before.isOver(path)) return { ok: false, code: 'path-over' };
    const highest = this.before.settlement(path);
    if (highest !== undefined) {
      if (highest.channel !== channel) return { ok: false, code: 'path-used-otherwise' };
      if (highest.txid === txid) {
        await this.log.settled();
        return signed;
      }
      if (k <= highest.k && this.options.now() >= this.options.lowerPaymentsUntilMs) {
        return { ok: false, code: k === highest.k ? 'payment-signed-otherwise' : 'payment-below-signed' };
      }
    }
    this.mustBeSure(path);
    await this.written({ kind: 'settlement', path, txid, channel, k, payment: toHex(order.buyerSignature) });
    return signed;
  }

  async signChild(order: ChildOrder): Promise<SignedTreasury> {
    this.count('child');
    const { settlement, feeSat } = order;
    if (!(await this.isSettlement(order))) return { ok: false, code: 'not-a-settlement' };
    const signed = await attempt(() => this.inner.signChild(order));
    if (!signed.ok) return signed;
    const of = txidOf(settlement.transaction);
    const { txid } = signed.transaction;
    if (this.before.hasTreasury(txid)) return this.again(signed);
    if (!this.fees.child.take(this.before.childCost(of, feeSat), this.options.now())) return FEES_SPENT;
    await this.written({ kind: 'child', txid, of, feeSat: feeSat.toString() });
    return signed;
  }

  async signSweep(order: SweepOrder): Promise<SignedTreasury> {
    return this.treasury('sweep', order.feeSat, () => this.inner.signSweep(order));
  }

  async signSplit(order: SplitOrder): Promise<SignedTreasury> {
    return this.treasury('split', order.feeSat, () => this.inner.signSplit(order));
  }

  private async treasury(
    kind: 'sweep' | 'split',
    feeSat: bigint,
    sign: () => Promise<SignedTreasury>,
  ): Promise<SignedTreasury> {
    this.count('treasury');
    const signed = await attempt(sign);
    if (!signed.ok) return signed;
    const { txid } = signed.transaction;
    if (this.before.hasTreasury(txid)) return this.again(signed);
    if (!this.fees.treasury.take(feeSat, this.options.now())) return FEES_SPENT;
    await this.written({ kind, txid, feeSat: feeSat.toString() });
    return signed;
  }

  private async again(signed: SignedTreasury): Promise<SignedTreasury> {
    await this.log.settled();
    return signed;
  }

  /**
   * A child may take most of what a settlement brings, so it is made for one only: the transaction is the settlement of a
   * channel with the keys of its path. Where the parameters are made up, it is nothing that is on the chain.
   */
  private async isSettlement({ settlement, channel }: ChildOrder): Promise<boolean> {
    const { path, transaction, vout } = settlement;
    if (vout !== EARNED_VOUT) return false;
    const ours = await this.inner.publicKey(path);
    if (toHex(ours.publicKey) !== toHex(channel.sellerPublicKey)) return false;
    if (toHex(ours.payoutKeyHash) !== toHex(channel.sellerKeyHash)) return false;
    try {
      return settledPayment(transaction, channel) !== null;
    } catch {
      // Keys or amounts that are none.
      return false;
    }
  }

  private async written(entry: SigningEntry): Promise<void> {
    this.before.note(entry, this.options.now());
    await this.log.append(entry);
  }

  /** A lower payment, or another channel, may have been signed after the copy was taken that the log was put back from. */
  private mustBeSure(path: string): void {
    if (this.unsureUntilMs === undefined || this.before.isAll(path)) return;
    if (this.options.now() < this.options.unsureSignUntilMs) return;
    throw new LogRestored(`nothing was signed with ${path} since the log was put back`);
  }

  private count(kind: 'settlement' | 'child' | 'treasury' | 'lookup'): void {
    if (!this.rates[kind].take(1n, this.options.now())) throw new RateLimited(`too many orders: ${kind}`);
  }
}

const FEES_SPENT = { ok: false, code: 'fees-of-the-day-spent' } as const;

/** Keys and amounts that are none make libraries throw. */
async function attempt<T>(sign: () => Promise<T>): Promise<T | { readonly ok: false; readonly code: 'malformed' }> {
  try {
    return await sign();
  } catch {
    return { ok: false, code: 'malformed' };
  }
}

const nameOf = ({ epoch, index }: ChannelKeyPath): string => `${epoch}/${index}`;

/** Names everything that a channel's settlements depend on but the payment. */
export function channelDigest(channel: ChannelParameters): string {
  const { network, priceSat, lockUnits, settlementFeeSat, fundingValueSat, fundingOutpoint } = channel;
  const { buyerPublicKey, sellerPublicKey, buyerKeyHash, sellerKeyHash } = channel;
  const keys = [buyerPublicKey, sellerPublicKey, buyerKeyHash, sellerKeyHash].map(toHex);
  const terms = [network, priceSat, lockUnits, settlementFeeSat, fundingValueSat].map(String);
  const parts = [...terms, toHex(fundingOutpoint.txid), String(fundingOutpoint.index), ...keys];
  return createHash('sha256').update(parts.join('|')).digest('hex');
}

/** Of a transaction without a witness: settlements have none. */
function txidOf(transaction: Uint8Array): string {
  const once = createHash('sha256').update(transaction).digest();
  return createHash('sha256').update(once).digest().reverse().toString('hex');
}
