import { z } from 'zod';
import {
  base64Bytes,
  boundedBytes,
  code,
  fixedBytes,
  keyHash,
  paymentNumber,
  publicKey,
  satoshi,
  txid,
  u64,
  vout,
} from './codecs.js';
import { defineRequest } from './contract.js';

/**
 * What the settler asks of a signer in a process of its own. Each question carries everything that the signer needs to judge
 * it: it looks nowhere else but into its own log. Each names the seed that is meant, so that no other's keys get into the
 * books. Asking again is harmless: the answer is the same.
 */

/** 100,000 virtual bytes are the most that nodes relay. */
const MAX_TRANSACTION_BYTES = 100_000;
/** As many inputs as a sweep has. A message with so many settlements has about 300 kB; the broker takes 1 MB. */
const MAX_COINS = 500;
/** A split makes fewer. */
const MAX_OUTPUTS = 500;

const seedId = z.string().regex(/^[0-9a-f]{1,64}$/);
const place = z.int().min(0).max(0x7fff_ffff);
const path = z.object({ epoch: place, index: place });

/** A channel's terms, keys and funding: what its settlements are made of, but the network. */
const channel = z.object({
  priceSat: u64,
  lockUnits: z.int().min(0).max(65_535),
  settlementFeeSat: u64,
  fundingValueSat: u64,
  /** The txid in display order. */
  fundingOutpoint: z.object({ txid: fixedBytes(32), index: vout }),
  buyerPublicKey: publicKey,
  sellerPublicKey: publicKey,
  buyerKeyHash: keyHash,
  sellerKeyHash: keyHash,
});

/** Transactions that make coins, each once, and the coins: which transaction, by its place, and which output of it. */
const coins = {
  transactions: z.array(base64Bytes(MAX_TRANSACTION_BYTES)).max(MAX_COINS),
  coins: z.array(z.object({ path, transaction: z.int().min(0).max(MAX_COINS), vout })).max(MAX_COINS),
};

/** A code of the signer's says why not; `rate-limited` and `other-seed` say nothing about what was asked. */
const refused = z.object({ given: z.literal(false), code });
const treasuryReply = z.discriminatedUnion('given', [
  z.object({
    given: z.literal(true),
    txid,
    bytes: base64Bytes(MAX_TRANSACTION_BYTES),
    inputSat: satoshi,
    outputsSat: z.array(satoshi).max(MAX_OUTPUTS + 1),
  }),
  refused,
]);

const common = { owner: 'signer', askedBy: ['channel-service'], settlerOnly: true } as const;

/** Which seed it signs with, and where it lets money go. */
export const signerIdentity = defineRequest({
  ...common,
  subject: 'signer.identity',
  request: z.object({}),
  reply: z.object({ seedId, network: z.string().max(40), hasDestination: z.boolean(), logSeq: z.int().min(0) }),
});

export const signerPublicKey = defineRequest({
  ...common,
  subject: 'signer.public-key',
  request: z.object({ seedId, path }),
  reply: z.discriminatedUnion('given', [
    z.object({ given: z.literal(true), publicKey, payoutKeyHash: keyHash }),
    refused,
  ]),
});

/** A hash of a peer's address under a key of the seed. */
export const signerHashAddress = defineRequest({
  ...common,
  subject: 'signer.hash-address',
  request: z.object({ seedId, address: z.string().max(100) }),
  reply: z.discriminatedUnion('given', [z.object({ given: z.literal(true), hash: z.string().max(100) }), refused]),
});

/** The settlement of payment k, made anew from what is given here. */
export const signerSettlement = defineRequest({
  ...common,
  subject: 'signer.settlement',
  request: z.object({ seedId, path, channel, k: paymentNumber, buyerSignature: boundedBytes(73) }),
  reply: z.discriminatedUnion('given', [
    z.object({ given: z.literal(true), txid, bytes: boundedBytes(1_000) }),
    refused,
  ]),
});

/** The child of the settlement of a channel: its first coin is the settlement's output. */
export const signerChild = defineRequest({
  ...common,
  subject: 'signer.child',
  request: z.object({ seedId, channel, ...coins, feeSat: satoshi }),
  reply: treasuryReply,
});

export const signerSweep = defineRequest({
  ...common,
  subject: 'signer.sweep',
  /** `index`: which address of the operator's wallet; null where it has one. */
  request: z.object({ seedId, ...coins, feeSat: satoshi, index: place.nullable() }),
  reply: treasuryReply,
});

export const signerSplit = defineRequest({
  ...common,
  subject: 'signer.split',
  request: z.object({
    seedId,
    ...coins,
    feeSat: satoshi,
    count: z.int().min(1).max(MAX_OUTPUTS),
    valueSat: satoshi,
  }),
  reply: treasuryReply,
});
