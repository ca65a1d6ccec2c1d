import {
  signerChild,
  signerHashAddress,
  signerIdentity,
  signerPublicKey,
  signerSettlement,
  signerSplit,
  signerSweep,
  type Bus,
  type RequestContract,
} from '@seedfleet/bus';
import { decodeTransaction, unsignedSettlement, type ChannelParameters } from '@seedfleet/payment-channel';
import type { ChannelKeyPath } from '@seedfleet/wallet';
import type { z } from 'zod';
import { SignerAway } from './signer-away.js';
import type {
  ChildOrder,
  CoinOrder,
  PublicContractKey,
  SettlementOrder,
  SignedSettlement,
  SignedTreasury,
  Signer,
  SignRefusal,
  SplitOrder,
  SweepOrder,
  TreasuryRefusal,
} from './signer.js';

/** Signing takes milliseconds; the signer's disk may take longer. */
const TIMEOUT_MS = 5_000;
/** Pause after a question without answer; doubled with each more, up to the longest. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** A settler that is told that it asks for too much. */
const RATE_PAUSE_SECONDS = 10;

/** Told whenever it becomes known that the signer answers, or does not. */
export type PresenceHook = (why: string | null) => void;

/**
 * A signer in another process, on the bus. Rejects with `SignerAway` while it can't be reached: nothing is refused then, and
 * nobody asks again before a pause has passed, so that thousands of channels don't wait for it one by one.
 */
export class RemoteSigner implements Signer {
  private pauseMs = 0;
  private pausedUntilMs = 0;

  constructor(
    private readonly bus: Pick<Bus, 'request'>,
    /** Keys of another one are never taken. */
    private readonly seedId: string,
    private readonly onPresence: PresenceHook = () => undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async publicKey({ epoch, index }: ChannelKeyPath): Promise<PublicContractKey> {
    const reply = await this.ask(signerPublicKey, { seedId: this.seedId, path: { epoch, index } });
    if (!reply.given) throw new Error(`public key: ${reply.code}`);
    return { epoch, index, publicKey: reply.publicKey, payoutKeyHash: reply.payoutKeyHash };
  }

  async hashAddress(address: string): Promise<string> {
    const reply = await this.ask(signerHashAddress, { seedId: this.seedId, address });
    if (!reply.given) throw new Error(`hash of an address: ${reply.code}`);
    return reply.hash;
  }

  async signSettlement({ path, channel, k, buyerSignature }: SettlementOrder): Promise<SignedSettlement> {
    const order = { seedId: this.seedId, path: plain(path), channel: wire(channel), k, buyerSignature };
    const reply = await this.ask(signerSettlement, order);
    if (!reply.given) return { ok: false, code: reply.code as SignRefusal };
    const { txid, bytes } = reply;
    if (!isSettlement(bytes, channel, k) || txidOf(bytes) !== txid) throw this.untrue(`no settlement ${k}`);
    return { ok: true, transaction: { txid, bytes } };
  }

  async signChild({ settlement, channel, coins, feeSat }: ChildOrder): Promise<SignedTreasury> {
    const order = { seedId: this.seedId, channel: wire(channel), ...coinsOf([settlement, ...coins]), feeSat };
    return this.treasury(await this.ask(signerChild, order));
  }

  async signSweep({ coins, feeSat, index }: SweepOrder): Promise<SignedTreasury> {
    return this.treasury(await this.ask(signerSweep, { seedId: this.seedId, ...coinsOf(coins), feeSat, index }));
  }

  async signSplit({ coins, feeSat, count, valueSat }: SplitOrder): Promise<SignedTreasury> {
    const order = { seedId: this.seedId, ...coinsOf(coins), feeSat, count, valueSat };
    return this.treasury(await this.ask(signerSplit, order));
  }

  /** Asks whether the signer is there, also in a pause, which ends where it is. */
  async probe(): Promise<void> {
    const reply = await this.bus.request(signerIdentity, {}, TIMEOUT_MS);
    if (!reply.ok) this.away(`${signerIdentity.subject}: ${reply.code} ${reply.detail}`);
    else if (reply.value.seedId !== this.seedId) this.untrue('the name of another seed');
    else this.answered();
  }

  private treasury(reply: z.output<typeof signerChild.reply>): SignedTreasury {
    if (!reply.given) return { ok: false, code: reply.code as TreasuryRefusal };
    const { txid, bytes, inputSat, outputsSat } = reply;
    if (txidOf(bytes) !== txid) throw this.untrue('a transaction of another name');
    return { ok: true, transaction: { txid, bytes }, inputSat, outputsSat };
  }

  /** Throws what the row is to blame for as it is: a number that doesn't fit, a key that is none. */
  private async ask<Q extends z.ZodType, A extends z.ZodType<{ readonly given: boolean }>>(
    contract: RequestContract<Q, A>,
    question: z.output<Q>,
  ): Promise<z.output<A>> {
    const waitMs = this.pausedUntilMs - this.now();
    if (waitMs > 0) throw new SignerAway('the signer did not answer a moment ago', waitMs / 1_000);
    const reply = await this.bus.request(contract, question, TIMEOUT_MS);
    if (!reply.ok && reply.code === 'invalid_message') throw new Error(`${contract.subject}: ${reply.detail}`);
    if (!reply.ok) throw this.away(`${contract.subject}: ${reply.code} ${reply.detail}`);
    const refused: { readonly given: boolean; readonly code?: string } = reply.value;
    if (!refused.given && refused.code === 'rate-limited') {
      throw new SignerAway('the signer is asked for more than its limits', RATE_PAUSE_SECONDS);
    }
    if (!refused.given && refused.code === 'log-restored') {
      throw new SignerAway(
        "the signer's log was put back, and its operator has not vouched for us",
        RATE_PAUSE_SECONDS,
      );
    }
    if (!refused.given && refused.code === 'other-seed') throw this.untrue('the name of another seed');
    this.answered();
    return reply.value;
  }

  private answered(): void {
    this.pauseMs = 0;
    this.pausedUntilMs = 0;
    this.onPresence(null);
  }

  private untrue(what: string): SignerAway {
    return this.away(`the signer answered with ${what}`);
  }

  private away(why: string): SignerAway {
    // Those that were asked at the same time end in one pause.
    if (this.now() >= this.pausedUntilMs) {
      this.pauseMs = Math.min(LONGEST_PAUSE_MS, this.pauseMs === 0 ? FIRST_PAUSE_MS : 2 * this.pauseMs);
      this.pausedUntilMs = this.now() + this.pauseMs;
    }
    this.onPresence(why);
    return new SignerAway(why, this.pauseMs / 1_000);
  }
}

/** Asks a signer who it is. Null where none answers. */
export async function identityOf(bus: Bus): Promise<z.output<typeof signerIdentity.reply> | null> {
  const reply = await bus.request(signerIdentity, {}, TIMEOUT_MS);
  return reply.ok ? reply.value : null;
}

const plain = ({ epoch, index }: ChannelKeyPath) => ({ epoch, index });

function wire({ network: _, fundingOutpoint, ...channel }: ChannelParameters) {
  return { ...channel, fundingOutpoint: { ...fundingOutpoint } };
}

/** Each transaction once: hundreds of coins may be of one split. */
function coinsOf(orders: readonly CoinOrder[]) {
  const places = new Map<string, number>();
  const transactions: Uint8Array[] = [];
  const coins = orders.map(({ path, transaction, vout }) => {
    const name = Buffer.from(transaction).toString('latin1');
    const place = places.get(name) ?? transactions.push(transaction) - 1;
    places.set(name, place);
    return { path: plain(path), transaction: place, vout };
  });
  return { transactions, coins };
}

const txidOf = (bytes: Uint8Array): string | undefined => decodeTransaction(bytes)?.getId();

/** The same transaction but for its signatures. */
function isSettlement(bytes: Uint8Array, channel: ChannelParameters, k: number): boolean {
  const transaction = decodeTransaction(bytes);
  const [input] = transaction?.ins ?? [];
  if (transaction === undefined || input === undefined) return false;
  transaction.setInputScript(0, new Uint8Array());
  return Buffer.from(transaction.toBuffer()).equals(Buffer.from(unsignedSettlement(channel, k).bytes));
}
