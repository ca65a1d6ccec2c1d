import type { Prisma } from '@seedfleet/persistence';
import type { ChannelState } from '@seedfleet/channel-lifecycle';

type Bytes = Uint8Array<ArrayBuffer>;

/** One row of the table of channels as queries return it: satoshi and counts as bigint, bytes as Uint8Array. */
export interface ChannelRow {
  readonly id: string;
  readonly joinId: string;
  readonly nodeId: string;
  readonly infoHash: string;
  readonly state: ChannelState;
  readonly stateReason: string;
  readonly stateEnteredAt: Date;
  readonly version: number;
  readonly nextActionAt: Date | null;
  /** Times that news of the chain has come in; what is stored of a look tells which of it the look knew. */
  readonly wakes: number;
  /** Median time past in seconds at which settlement starts; null while the funding transaction is unconfirmed. */
  readonly deadlineMtp: number | null;
  readonly termsIndex: number;
  readonly priceSat: bigint;
  readonly lockUnits: number;
  readonly settlementFeeSat: bigint;
  readonly minContractFeePerKbSat: bigint;
  readonly maxSellers: bigint;
  readonly buyerMaxPriceSat: bigint;
  readonly buyerMaxLockUnits: number;
  readonly buyerMaxContractFeePerKbSat: bigint;
  readonly pieceCount: number;
  readonly pieceLength: number;
  readonly totalBytes: bigint;
  readonly keyEpoch: number;
  readonly keyIndex: number;
  readonly sellerPublicKey: Bytes;
  readonly sellerKeyHash: Bytes;
  readonly peerAddress: string;
  readonly peerSubnet: string;
  readonly peerClient: string;
  readonly buyerPublicKey: Bytes | null;
  readonly buyerKeyHash: Bytes | null;
  readonly fundingValueSat: bigint | null;
  readonly fundingTxid: string | null;
  readonly fundingVout: number | null;
  readonly outpointClaimed: boolean;
  readonly fundingSeenAt: Date | null;
  readonly fundingHeight: number | null;
  readonly fundingConfirmations: number;
  readonly allowanceBytes: bigint | null;
  readonly verdict: Prisma.JsonValue;
  readonly kMin: bigint | null;
  readonly kCap: bigint | null;
  readonly k: bigint;
  readonly signature: Bytes | null;
  readonly frozenK: bigint | null;
  readonly closeReason: string | null;
  readonly settlementTxid: string | null;
  readonly settlementRaw: Bytes | null;
  /** The payment that the stored settlement settles, where that is an earlier one than k. */
  readonly settledK: bigint | null;
  readonly settlementHeight: number | null;
  readonly settlementConfirmations: number;
  /** What was mined in place of the settlement with the same outputs, where it has another txid; its bytes with it. */
  readonly minedTxid: string | null;
  readonly minedRaw: Bytes | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
