import { fromHex } from '@seedfleet/payment-channel';
import type { ChannelRow } from '../channels/channel-row.js';

/** The channel of the payment channel specification's worked example (§10), as a row: P = 7, F = 450, V = 7509. */
export function exampleRow(change: Partial<ChannelRow> = {}): ChannelRow {
  return {
    id: '4b7d8f9e-0000-4000-8000-000000000001',
    joinId: 'join',
    nodeId: 'node-1',
    infoHash: 'ab'.repeat(20),
    state: 'joined',
    stateReason: 'ready',
    stateEnteredAt: new Date(0),
    version: 1,
    nextActionAt: new Date(0),
    wakes: 0,
    deadlineMtp: null,
    termsIndex: 0,
    priceSat: 7n,
    lockUnits: 20,
    settlementFeeSat: 450n,
    minContractFeePerKbSat: 1_000n,
    maxSellers: 5n,
    buyerMaxPriceSat: 7n,
    buyerMaxLockUnits: 20,
    buyerMaxContractFeePerKbSat: 1_024n,
    pieceCount: 987,
    pieceLength: 131_072,
    totalBytes: 987n * 131_072n,
    keyEpoch: 1,
    keyIndex: 0,
    sellerPublicKey: hex('02466d7fcae563e5cb09a0d1870bb580344804617879a14949cf22285f1bae3f27'),
    sellerKeyHash: hex('cc1b07838e387deacd0e5232e1e8b49f4c29e484'),
    peerAddress: '203.0.113.9',
    peerSubnet: '203.0.113.0/24',
    peerClient: '-JS1080-',
    buyerPublicKey: hex('034f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa'),
    buyerKeyHash: hex('3bc28d6d92d9073fb5e3adf481795eaf446bceed'),
    fundingValueSat: 7_509n,
    fundingTxid: 'a2d516a397442b173e93bd5e9abc3e8e368330ba0accf94bd13709f5d0f6543d',
    fundingVout: 0,
    outpointClaimed: true,
    fundingSeenAt: new Date(0),
    fundingHeight: null,
    fundingConfirmations: 0,
    allowanceBytes: null,
    verdict: null,
    kMin: 143n,
    kCap: 994n,
    k: 0n,
    signature: null,
    frozenK: null,
    closeReason: null,
    settlementTxid: null,
    settlementRaw: null,
    settledK: null,
    settlementHeight: null,
    settlementConfirmations: 0,
    minedTxid: null,
    minedRaw: null,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    ...change,
  };
}

/** Private keys of the example: 11…11 of the buyer, 22…22 of the seller. */
export const BUYER_PRIVATE_KEY = new Uint8Array(32).fill(0x11);
export const SELLER_PRIVATE_KEY = new Uint8Array(32).fill(0x22);

function hex(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(fromHex(text));
}
