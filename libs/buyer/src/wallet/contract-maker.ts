import { isHeldByNode } from '@seedfleet/bitcoin-node';
import type { ChosenSeller, RefundData, SessionFunding } from '@seedfleet/exchange';
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
import { buildFunding, outputScript, sumSat } from '@seedfleet/wallet';
import type { Reporter } from '../events.js';
import type { ContractMaker } from '../download/purchase.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { WalletCoins } from './coins.js';
import type { ContractRecord, ContractRecords } from './contract-records.js';
import type { WalletKeys } from './keys.js';
import { expectAnswer, type NodeLink } from './node-link.js';

/** What the default buyer adds to the price of all pieces, so that the last settlement's change is no dust. */
const DEPOSIT_MARGIN_SAT = 600n;
/** A generous size of the funding transaction for the first look at the coins; the fee itself is exact. */
const ROUGH_FUNDING_VBYTES = 400;
const FEE_TARGET_BLOCKS = 3;

export interface ContractMakerOptions {
  readonly link: NodeLink;
  readonly keys: WalletKeys;
  readonly coins: WalletCoins;
  readonly records: ContractRecords;
  readonly ecdsa: Ecdsa;
  readonly reporter: Reporter;
  readonly infoHash: string;
  readonly pieces: number;
  readonly maxFeePerKbSat: bigint;
}

interface Prepared {
  readonly transaction: RawTransaction;
  readonly record: ContractRecord;
  readonly connections: readonly number[];
  readonly feeSat: bigint;
}

/** Funds one contract: chooses coins, signs, stores what a refund needs, and only then broadcasts. */
export class FundingContracts implements ContractMaker {
  private prepared: Prepared | undefined;
  /** Serial number of the latest attempt; work of an older or abandoned one is dropped. */
  private attempt = 0;
  /** Ends with the attempt before: a node scans its coins for one question at a time. */
  private before: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ContractMakerOptions) {}

  get fundingTxid(): string | undefined {
    return this.prepared?.record.state === 'broadcast' ? this.prepared.record.txid : undefined;
  }

  /** Rejects with `attempt-abandoned`, and leaves nothing to broadcast, if it was given up or begun anew meanwhile. */
  prepare(
    sellers: readonly ChosenSeller[],
    feeSatPerKb: bigint,
    nameOf: (id: number) => string,
  ): Promise<SessionFunding[]> {
    this.close();
    this.abandon();
    const { attempt } = this;
    const work = this.before.then(() => this.prepareAs(attempt, sellers, feeSatPerKb, nameOf));
    this.before = work.catch(() => undefined);
    return work;
  }

  private async prepareAs(
    attempt: number,
    sellers: readonly ChosenSeller[],
    feeSatPerKb: bigint,
    nameOf: (id: number) => string,
  ): Promise<SessionFunding[]> {
    this.expectLatest(attempt);
    const { link, keys, coins, ecdsa, reporter, pieces } = this.options;
    const ratePerKbSat = await this.feeRate(feeSatPerKb);
    this.expectLatest(attempt);
    const channels = sellers.map((seller) => {
      const index = keys.takeChannelIndex();
      const { contract, payout } = keys.channel(index);
      const lockUnits = seller.terms.minLock;
      const redeemScript = redeemScriptOf({
        sellerPublicKey: seller.sellerPublicKey,
        buyerPublicKey: contract.publicKey,
        lockUnits,
      });
      const valueSat = seller.terms.minPrice * BigInt(pieces) + DEPOSIT_MARGIN_SAT;
      return { seller, index, contract, payout, lockUnits, script: p2shScript(redeemScript), valueSat };
    });
    const depositSat = sumSat(channels);
    const roughFeeSat = feeSat(ROUGH_FUNDING_VBYTES + 32 * channels.length, ratePerKbSat);
    const available = await coins.atLeast(depositSat + roughFeeSat, reporter);
    this.expectLatest(attempt);
    const changeIndex = keys.takeChangeIndex();
    const changeScript = outputScript(keys.account.kind, keys.account.key('change', changeIndex).keyHash);
    const funding = buildFunding(
      { network: link.walletNetwork, coins: available, commitments: channels, ratePerKbSat, changeScript },
      ecdsa,
    );
    if (!funding.ok) {
      throw new BuyerError(ExitCode.coins, funding.error.code, `the deposit can't be funded: ${funding.error.code}`);
    }
    const { transaction, choice } = funding;
    const outpointOf = (vout: number) => ({ txid: fromHex(transaction.txid), index: vout });
    this.prepared = {
      transaction,
      feeSat: choice.feeSat,
      connections: channels.map(({ seller }) => seller.connection),
      record: {
        version: 1,
        txid: transaction.txid,
        raw: toHex(transaction.bytes),
        network: link.channelNetwork,
        infoHash: this.options.infoHash,
        createdAt: new Date().toISOString(),
        state: 'stored',
        change:
          choice.changeSat === undefined
            ? null
            : { vout: channels.length, index: changeIndex, valueSat: choice.changeSat.toString() },
        outputs: channels.map(({ seller, index, contract, lockUnits, valueSat }, vout) => ({
          vout,
          valueSat: valueSat.toString(),
          lockUnits,
          keyIndex: index,
          buyerPublicKey: toHex(contract.publicKey),
          sellerPublicKey: toHex(seller.sellerPublicKey),
          seller: nameOf(seller.connection),
          payments: 0,
          state: 'open' as const,
          refundTxid: null,
        })),
      },
    };
    return channels.map(({ seller, contract, payout, valueSat }, vout) => ({
      connection: seller.connection,
      valueSat,
      outpoint: outpointOf(vout),
      buyerPublicKey: contract.publicKey,
      buyerKeyHash: payout.keyHash,
      sign: (digest) => derSignature(ecdsa.sign(digest, contract.privateKey)),
    }));
  }

  /** The record holds more than the session's refund data: also the key's index and the transaction itself. */
  store(_refunds: readonly RefundData[]): Promise<void> {
    this.options.records.save(this.expectPrepared().record);
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
    this.prepared = { ...prepared, record: { ...prepared.record, state: 'broadcast' } };
    this.options.records.save(this.prepared.record);
    const { outputs, txid } = prepared.record;
    this.options.reporter.report({
      event: 'contract',
      txid,
      depositSat: outputs.reduce((sum, { valueSat }) => sum + BigInt(valueSat), 0n).toString(),
      feeSat: prepared.feeSat.toString(),
      outputs: outputs.map(({ seller, vout, valueSat }) => ({ seller, vout, valueSat })),
      refundableAfterUnits: Math.max(...outputs.map(({ lockUnits }) => lockUnits)),
    });
  }

  abandon(): void {
    this.attempt += 1;
    this.prepared = undefined;
  }

  paid(connection: number, payments: number): void {
    if (this.prepared === undefined) return;
    const vout = this.prepared.connections.indexOf(connection);
    const outputs = this.prepared.record.outputs.map((output) =>
      output.vout === vout ? { ...output, payments } : output,
    );
    this.prepared = { ...this.prepared, record: { ...this.prepared.record, outputs } };
  }

  /** Writes the payment counts, which only inform, once instead of at every piece. */
  close(): void {
    if (this.fundingTxid !== undefined) this.options.records.save(this.expectPrepared().record);
  }

  private expectLatest(attempt: number): void {
    if (attempt === this.attempt) return;
    throw new BuyerError(ExitCode.failed, 'attempt-abandoned', 'the contract was given up while it was prepared');
  }

  private expectPrepared(): Prepared {
    if (this.prepared === undefined) throw new Error('no contract is prepared');
    return this.prepared;
  }

  /** At least what the sellers ask and what the mempool takes; the node's estimate as far as the limit allows. */
  private async feeRate(sellersSatPerKb: bigint): Promise<bigint> {
    const { link, maxFeePerKbSat } = this.options;
    const { minFeeSatPerKvb } = expectAnswer(await link.node.mempoolInfo());
    const estimate = expectAnswer(await link.node.feeEstimate(FEE_TARGET_BLOCKS)) ?? 0n;
    if (minFeeSatPerKvb > maxFeePerKbSat) {
      throw new BuyerError(
        ExitCode.coins,
        'fee-limit-too-low',
        `the mempool takes ${minFeeSatPerKvb} sat per 1,000 bytes and more; --max-fee-per-kb is ${maxFeePerKbSat}`,
      );
    }
    const floor = sellersSatPerKb > minFeeSatPerKvb ? sellersSatPerKb : minFeeSatPerKvb;
    const wanted = estimate > floor ? estimate : floor;
    return wanted < maxFeePerKbSat ? wanted : maxFeePerKbSat;
  }
}
