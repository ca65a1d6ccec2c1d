import { z } from 'zod';
import { satFromDecimal } from '../amounts.js';

/**
 * The parts of Bitcoin Core's and BCHN's answers that this library reads. Amounts arrive as the source text of the
 * number (see json-exact.ts) and leave as satoshi.
 */

const amountSat = z.union([z.string(), z.int()]).transform((value, context) => {
  const sat = satFromDecimal(String(value));
  if (sat !== undefined) return sat;
  context.addIssue('not an amount in bitcoin');
  return z.NEVER;
});

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const hex = z.string().regex(/^(?:[0-9a-f]{2})*$/);
const count = z.int().min(0);

export const chainInfo = z.object({
  chain: z.string(),
  blocks: count,
  headers: count,
  bestblockhash: hash,
  initialblockdownload: z.boolean().default(false),
  pruned: z.boolean().default(false),
});

export const networkInfo = z.object({ subversion: z.string() });
export const helpText = z.string();
export const indexInfo = z.record(z.string(), z.object({ synced: z.boolean() }));
export const blockHash = hash;
export const hexData = hex;
export const txid = hash;

export const header = z.object({
  hash,
  height: count,
  previousblockhash: hash.optional(),
  time: count,
  mediantime: count,
  confirmations: z.int(),
});

export const transaction = z.object({
  hex,
  blockhash: hash.optional(),
  confirmations: z.int().optional(),
});

export const unspentOutput = z
  .object({
    bestblock: hash,
    confirmations: count,
    value: amountSat,
    scriptPubKey: z.object({ hex }),
    coinbase: z.boolean(),
  })
  .nullable();

export const spendingPrevouts = z.array(z.object({ txid: hash, vout: count, spendingtxid: hash.optional() }));

/** BCHN has `size` for `vsize`, and no ancestor figures, as it lifted the ancestor limits. */
export const mempoolEntry = z.object({
  vsize: count.optional(),
  size: count.optional(),
  time: count,
  ancestorcount: count.optional(),
  ancestorsize: count.optional(),
  descendantcount: count.optional(),
  fees: z.object({ base: amountSat, ancestor: amountSat.optional() }),
  depends: z.array(hash),
  'bip125-replaceable': z.boolean().optional(),
});

export const mempoolInfo = z.object({
  loaded: z.boolean().default(true),
  size: count,
  mempoolminfee: amountSat,
  minrelaytxfee: amountSat.optional(),
});

export const mempoolTxids = z.array(hash);
export const smartFee = z.object({ feerate: amountSat.optional() });
/** BCHN's estimatefee answers with the bare rate, -1 where it has none. */
export const plainFee = amountSat;

export const testAccept = z
  .array(z.object({ txid: hash.optional(), allowed: z.boolean().optional(), 'reject-reason': z.string().optional() }))
  .min(1);

/** BCHN's getdsprooflist at verbosity 2. */
export const doubleSpendProofs = z.array(
  z.object({ dspid: hash, txid: hash.nullish(), outpoint: z.object({ txid: hash, vout: count }) }),
);

export const packageResult = z.object({
  package_msg: z.string(),
  'tx-results': z.record(z.string(), z.object({ txid: hash, error: z.string().optional() })),
});

export const outputScan = z.object({
  success: z.boolean(),
  unspents: z.array(
    z.object({
      txid: hash,
      vout: count,
      scriptPubKey: hex,
      amount: amountSat,
      height: count,
      coinbase: z.boolean().default(false),
    }),
  ),
});
