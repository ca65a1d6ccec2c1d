import type { BuyerSessionConfig, ChosenSeller, RefundData, SessionFunding } from '@seedfleet/exchange';
import type { Metainfo } from '@seedfleet/bittorrent';
import type { Reporter } from '../events.js';
import type { PeerAddress } from '../options.js';
import type { PieceSink } from './piece-sink.js';

/** What a contract is made for. */
export interface ContractPlan {
  readonly sellers: readonly ChosenSeller[];
  /** Largest `minContractFeePerKb` of the sellers, satoshi per 1,000 bytes. */
  readonly feeSatPerKb: bigint;
  /** Pieces not there yet. */
  readonly missing: number;
  /** Paid before in this download. */
  readonly paidSat: bigint;
  /** A seller's address, for people. */
  readonly nameOf: (connection: number) => string;
}

/** What the purchase needs of the wallet: coins, keys and durable records. Each rejects with a `BuyerError`. */
export interface ContractMaker {
  /** Builds and signs a funding transaction with one output per seller in this order; broadcasts nothing. */
  prepare(plan: ContractPlan): Promise<SessionFunding[]>;
  /** Makes durable what a refund needs, the transaction itself included. */
  store(refunds: readonly RefundData[]): Promise<void>;
  /** Hands the transaction to the node. */
  broadcast(): Promise<void>;
  /** Forgets a prepared transaction that was never broadcast. */
  abandon(): void;
  /** Writes down the newest payment of an output, so that a later refund knows what is at stake. */
  paid(connection: number, payments: number): void;
  /** Whether sellers may still wait for the deposit to be confirmed before they send more. */
  awaitsConfirmation(): Promise<boolean>;
  readonly fundingTxid: string | undefined;
}

export interface PurchaseOptions {
  readonly metainfo: Metainfo;
  readonly session: BuyerSessionConfig;
  /** Sellers wanted in one contract. */
  readonly sellers: number;
  /** Sellers named by the user. */
  readonly peers: readonly PeerAddress[];
  readonly sink: PieceSink;
  readonly contracts: ContractMaker;
  readonly reporter: Reporter;
  readonly userAgent: string;
  /** Whether pieces are taken from peers that give them for nothing. */
  readonly takeFree: boolean;
  /** Whether addresses on this machine and in private networks, heard of from peers, are dialled. */
  readonly allowLocal: boolean;
  readonly encryption: 'off' | 'prefer' | 'require';
  /** How long to look for sellers. */
  readonly searchMs: number;
  /** How long a seller that owes a piece may send nothing before it is dropped. */
  readonly silenceMs: number;
  /** Gives the purchase up politely. */
  readonly signal: AbortSignal;
}

export interface PurchaseResult {
  /** Pieces bought. */
  readonly bought: number;
  /** Pieces that ordinary peers gave. */
  readonly free: number;
  readonly payments: number;
  readonly paidSat: bigint;
  readonly contracts: number;
}
