import { z } from 'zod';
import { code, satoshi, txid, unixSeconds } from './codecs.js';
import { defineRequest } from './contract.js';

/** What lies on payout keys, and what was done with it last. */
export const treasuryGet = defineRequest({
  subject: 'treasury.get',
  owner: 'channel-service',
  askedBy: ['market-api'],
  request: z.object({}),
  reply: z.object({
    /** The operator's own address, or the name of their account; null where none is configured. */
    destination: z.string().nullable(),
    /** Since when earnings go there. */
    destinationSince: unixSeconds.nullable(),
    /** Where the next sweep goes. */
    nextAddress: z.string().nullable(),
    hotSat: satoshi,
    /** Of that, final and free to be spent. */
    spareSat: satoshi,
    spareCoins: z.int().min(0),
    /** Of those, kept back for children. */
    keptCoins: z.int().min(0),
    sweptSat: satoshi,
    feesSat: satoshi,
    /** What policy would do now, as a code, and why. */
    next: z.object({ kind: z.enum(['none', 'sweep', 'split']), why: code }),
    transactions: z
      .array(
        z.object({
          txid,
          kind: z.enum(['child', 'sweep', 'split']),
          state: code,
          reason: code,
          inputSat: satoshi,
          feeSat: satoshi,
          confirmations: z.int().min(0),
          madeAt: unixSeconds,
        }),
      )
      .max(50),
  }),
});

/** Sweeps what is spare to the configured wallet, and nowhere else; a dry run only says what it would do. */
export const treasurySweep = defineRequest({
  subject: 'treasury.sweep',
  owner: 'channel-service',
  askedBy: ['market-api'],
  request: z.object({ dryRun: z.boolean() }),
  reply: z.object({
    kind: z.enum(['none', 'sweep', 'split']),
    why: code,
    destination: z.string().nullable(),
    inputs: z.int().min(0),
    inputSat: satoshi,
    feeSat: satoshi,
    /** Null in a dry run, and where nothing is swept. */
    txid: txid.nullable(),
  }),
});
