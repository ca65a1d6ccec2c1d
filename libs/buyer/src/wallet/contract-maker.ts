import { isHeldByNode } from '@seedfleet/bitcoin-node';
import type { RefundData, SessionFunding } from '@seedfleet/exchange';
import {
  derSignature,
  feeSat,
  fromHex,
  p2shScript,
  redeemScriptOf,
  toHex,
  type Ecdsa,
  type RawTransaction,
} from '@seedfleet/payment-channel';
import { DEFAULT_POLICY } from '@seedfleet/policy';
import { buildFunding, MAX_NOTED_DEPOSITS, outputScript, sumSat } from '@seedfleet/wallet';
import { depositsFor } from '../download/deposit.js';
import type { ContractMaker, ContractPlan } from '../download/purchase-types.js';
import type { Quote, Reporter } from '../events.js';
import { BuyerError, ExitCode } from '../failure.js';
import { faultPoint } from '../fault-points.js';
import type { WalletCoins } from './coins.js';
import type { ContractRecord, ContractRecords } from './contract-records.js';
import { depositRate } from './fees.js';
import type { WalletKeys } from './keys.js';
import { expectAnswer, type NodeLink } from './node-link.js';

/** A generous size of the funding transaction for the first look at the coins; the fee itself is exact. */
const ROUGH_FUNDING_VBYTES = 500;
const GIB = 1024 ** 3;
const WRITE_PAYMENTS_EVERY_MS = 10_000;

export interface ContractMakerOptions {
  readonly link: NodeLink;
  readonly keys: WalletKeys;
  readonly coins: Pick<WalletCoins, 'atLeast'>;
  readonly records: ContractRecords;
  readonly ecdsa: Ecdsa;
  readonly reporter: Reporter;
  readonly infoHash: string;
  readonly pieceLengthBytes: number;
  readonly maxFeePerKbSat: bigint;
  /** Most that the deposits of one contract may add up to; undefined: all that is missing, from each seller. */
  readonly budgetSat: bigint | undefined;
  /** Most that the whole download may pay for pieces. */
  readonly maxTotalSat: bigint | undefined;
  /** Most that deposits for this torrent may lock at once, those of earlier contracts included. */
  readonly maxLockedSat: bigint | undefined;
  /** Asked before money moves; a refusal ends the download. */
  readonly approve: ((quote: Quote) => Promise<boolean>) | undefined;
}

interface Prepared {
  readonly transaction: RawTransaction;
  readonly record: ContractRecord;
  readonly connections: readonly number[];
}

/** Funds contracts, one at a time: chooses coins, signs, stores what a refund needs, and only then broadcasts. */
export class FundingContracts implements ContractMaker {
  private prepared: Prepared | undefined;
  private newestTxid: string | undefined;
  /** Payments of the newest contract, by output, since they were last written down. */
  private readonly payments = new Map<number, number>();
  private writtenMs = 0;
  /** Serial number of the latest attempt; work of an older or abandoned one is dropped. */
  private attempt = 0;
  /** Ends with the attempt before: a node scans its coins for one question at a time. */
  private before: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ContractMakerOptions) {}

  /** The newest contract that was broadcast. */
  get fundingTxid(): string | undefined {
    return this.newestTxid;
  }

  /** Rejects with `attempt-abandoned`, and leaves nothing to broadcast, if it was given up or begun anew meanwhile. */
  prepare(plan: ContractPlan): Promise<SessionFunding[]> {
    this.close();
    this.abandon();
    const { attempt } = this;
    const work = this.before.then(() => this.prepareAs(attempt, plan));
    this.before = work.catch(() => undefined);
    return work;
  }

  private async prepareAs(attempt: number, plan: ContractPlan): Promise<SessionFunding[]> {
    this.expectLatest(attempt);
    const { link, keys, coins, ecdsa, reporter, maxFeePerKbSat } = this.options;
    const deposits = this.depositsWithinLimits(plan);
    const ratePerKbSat = await depositRate(link, plan.feeSatPerKb, maxFeePerKbSat);
    this.expectLatest(attempt);
    const channels = plan.sellers.map((seller, place) => {
      const index = keys.takeChannelIndex();
      const { contract, payout } = keys.channel(index);
      const lockUnits = seller.terms.minLock;
      const { sellerPublicKey } = seller;
      const redeemScript = redeemScriptOf({ sellerPublicKey, buyerPublicKey: contract.publicKey, lockUnits });
      const valueSat = deposits[place] ?? 0n;
      return {
        seller,
        sellerPublicKey,
        index,
        contract,
        payout,
        lockUnits,
        script: p2shScript(redeemScript),
        valueSat,
      };
    });
    const roughFeeSat = feeSat(ROUGH_FUNDING_VBYTES + 32 * channels.length, ratePerKbSat);
    const available = await coins.atLeast(sumSat(channels) + roughFeeSat, reporter);
    this.expectLatest(attempt);
    const changeIndex = keys.takeChangeIndex();
    const changeScript = outputScript(keys.account.kind, keys.account.key('change', changeIndex).keyHash);
    const note = { key: keys.noteKey, deposits: channels.slice(0, MAX_NOTED_DEPOSITS) };
    const funding = buildFunding(
      { network: link.walletNetwork, coins: available, commitments: channels, ratePerKbSat, changeScript, note },
      ecdsa,
    );
    if (!funding.ok) {
      throw new BuyerError(ExitCode.coins, funding.error.code, `the deposit can't be funded: ${funding.error.code}`);
    }
    const { transaction, choice, changeVout } = funding;
    await this.askFor(plan, sumSat(channels), choice.feeSat);
    this.expectLatest(attempt);
    this.prepared = {
      transaction,
      connections: channels.map(({ seller }) => seller.connection),
      record: {
        version: 1,
        txid: transaction.txid,
        raw: toHex(transaction.bytes),
        network: link.channelNetwork,
        infoHash: this.options.infoHash,
        createdAt: new Date().toISOString(),
        state: 'stored',
        feeSat: choice.feeSat.toString(),
        change:
          choice.changeSat === undefined || changeVout === undefined
            ? null
            : { vout: changeVout, index: changeIndex, valueSat: choice.changeSat.toString() },
        outputs: channels.map(({ seller, index, contract, lockUnits, valueSat }, vout) => ({
          vout,
          valueSat: valueSat.toString(),
          lockUnits,
          keyIndex: index,
          buyerPublicKey: toHex(contract.publicKey),
          sellerPublicKey: toHex(seller.sellerPublicKey),
          seller: plan.nameOf(seller.connection),
          priceSat: seller.terms.minPrice.toString(),
          payments: 0,
          state: 'open' as const,
          refundTxid: null,
          refunds: [],
          back: null,
        })),
      },
    };
    return channels.map(({ seller, contract, payout, valueSat }, index) => ({
      connection: seller.connection,
      valueSat,
      outpoint: { txid: fromHex(transaction.txid), index },
      buyerPublicKey: contract.publicKey,
      buyerKeyHash: payout.keyHash,
      sign: (digest) => derSignature(ecdsa.sign(digest, contract.privateKey)),
    }));
  }

  /** The record holds more than the session's refund data: also the key's index and the transaction itself. */
  store(_refunds: readonly RefundData[]): Promise<void> {
    faultPoint('contract.before-store');
    this.options.records.save(this.expectPrepared().record);
    faultPoint('contract.after-store');
    return Promise.resolve();
  }

  async broadcast(): Promise<void> {
    const prepared = this.expectPrepared();
    const outcome = expectAnswer(await this.options.link.node.broadcast(prepared.record.raw));
    if (!isHeldByNode(outcome.code)) {
      throw new BuyerError(
        ExitCode.coins,
        outcome.code,
        `the node refuses the funding transaction: ${outcome.code} (${outcome.reason})`,
      );
    }
    faultPoint('contract.after-broadcast');
    this.prepared = { ...prepared, record: { ...prepared.record, state: 'broadcast' } };
    this.options.records.save(this.prepared.record);
    faultPoint('contract.before-announce');
    const { outputs, txid, feeSat: fee } = prepared.record;
    this.newestTxid = txid;
    this.options.reporter.report({
      event: 'contract',
      txid,
      depositSat: outputs.reduce((sum, { valueSat }) => sum + BigInt(valueSat), 0n).toString(),
      feeSat: fee,
      outputs: outputs.map(({ seller, vout, valueSat }) => ({ seller, vout, valueSat })),
      refundableAfterUnits: Math.max(...outputs.map(({ lockUnits }) => lockUnits)),
    });
  }

  abandon(): void {
    this.attempt += 1;
    this.prepared = undefined;
  }

  paid(connection: number, payments: number): void {
    const vout = this.prepared?.connections.indexOf(connection) ?? -1;
    if (vout < 0) return;
    this.payments.set(vout, payments);
    // The first says that the deposit is owed to somebody; of the later ones the newest will do.
    if (payments === 1 || performance.now() - this.writtenMs > WRITE_PAYMENTS_EVERY_MS) this.close();
  }

  async awaitsConfirmation(): Promise<boolean> {
    const record = this.prepared?.record;
    if (record === undefined) return false;
    const { tiers, above } = DEFAULT_POLICY.confirmations;
    for (const { vout, valueSat } of record.outputs) {
      const coin = expectAnswer(await this.options.link.node.unspentOutput({ txid: record.txid, vout }));
      // Spent already: a seller that has settled waits for nothing.
      if (coin === null) continue;
      const wanted = tiers.find(({ upToSat }) => BigInt(valueSat) <= upToSat)?.confirmations ?? above;
      if (coin.confirmations < wanted) return true;
    }
    return false;
  }

  /** Writes the payment counts, which only inform, now and then instead of at every piece. */
  close(): void {
    this.writtenMs = performance.now();
    const record = this.prepared?.record;
    if (record?.state !== 'broadcast') return;
    for (const [vout, payments] of this.payments) {
      this.options.records.update(record.txid, vout, (output) => ({ ...output, payments }));
    }
    this.payments.clear();
  }

  /** The value of each seller's output. Throws where a ceiling of the user is too low. */
  private depositsWithinLimits({ sellers, missing, paidSat }: ContractPlan): readonly bigint[] {
    const { budgetSat, maxTotalSat, maxLockedSat, records, link, infoHash } = this.options;
    const needs = sellers.map(({ terms }) => ({
      priceSat: terms.minPrice,
      settlementFeeSat: terms.settlementFee,
      missing,
    }));
    const deposits = depositsFor(needs, budgetSat);
    if (!deposits.ok) {
      const message = `the budget of ${budgetSat} sat is too small for these sellers: ${deposits.leastSat} are needed`;
      throw new BuyerError(ExitCode.coins, 'budget-too-small', message);
    }
    const totalSat = paidSat + BigInt(missing) * highestPrice(needs);
    if (maxTotalSat !== undefined && totalSat > maxTotalSat) {
      const message = `it would cost up to ${totalSat} sat in all; the limit is ${maxTotalSat}`;
      throw new BuyerError(ExitCode.coins, 'total-too-high', message);
    }
    if (maxLockedSat !== undefined) {
      const lockedSat = lockedFor(records.all(link.channelNetwork), infoHash) + sum(deposits.valuesSat);
      if (lockedSat > maxLockedSat) {
        const message = `deposits for this torrent would lock ${lockedSat} sat at once; the limit is ${maxLockedSat}`;
        throw new BuyerError(ExitCode.coins, 'locked-too-high', message);
      }
    }
    return deposits.valuesSat;
  }

  /** Shows what it costs before anything moves. */
  private async askFor({ sellers, missing, paidSat }: ContractPlan, depositSat: bigint, fee: bigint): Promise<void> {
    const { reporter, approve, pieceLengthBytes } = this.options;
    const priceSat = highestPrice(sellers.map(({ terms }) => ({ priceSat: terms.minPrice })));
    const quote: Quote = {
      sellers: sellers.length,
      priceSat: priceSat.toString(),
      perGibSat: ((priceSat * BigInt(GIB)) / BigInt(pieceLengthBytes)).toString(),
      pieces: missing,
      totalSat: (priceSat * BigInt(missing)).toString(),
      paidBeforeSat: paidSat.toString(),
      depositSat: depositSat.toString(),
      feeSat: fee.toString(),
    };
    reporter.report({ event: 'quote', ...quote });
    if (approve !== undefined && !(await approve(quote))) {
      throw new BuyerError(ExitCode.incomplete, 'declined', 'not bought: the price was declined');
    }
  }

  private expectLatest(attempt: number): void {
    if (attempt === this.attempt) return;
    throw new BuyerError(ExitCode.failed, 'attempt-abandoned', 'the contract was given up while it was prepared');
  }

  private expectPrepared(): Prepared {
    if (this.prepared === undefined) throw new Error('no contract is prepared');
    return this.prepared;
  }
}

function highestPrice(sellers: readonly { readonly priceSat: bigint }[]): bigint {
  return sellers.reduce((max, { priceSat }) => (priceSat > max ? priceSat : max), 0n);
}

/** Deposits for a torrent whose end is not known, less what was paid out of them. */
function lockedFor(records: readonly ContractRecord[], infoHash: string): bigint {
  const open = records
    .filter((record) => record.infoHash === infoHash && record.state === 'broadcast')
    .flatMap(({ outputs }) => outputs.filter(({ state }) => state === 'open'));
  return sum(open.map(({ valueSat, priceSat, payments }) => BigInt(valueSat) - BigInt(priceSat) * BigInt(payments)));
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}
