import { succeed, type NodeResult } from './errors.js';
import type { BitcoinNode, BlockRef } from './node.js';
import type { Outpoint } from './raw/transaction.js';

/** The confirmed transaction that spends an outpoint. */
export interface ConfirmedSpend {
  readonly outpoint: Outpoint;
  readonly spenderTxid: string;
  /** Index of the spending input. */
  readonly vin: number;
  readonly block: BlockRef;
}

/** Name of an outpoint for maps: `txid:vout`. */
export const outpointKey = (outpoint: Outpoint): string => `${outpoint.txid}:${outpoint.vout}`;

/**
 * Searches blocks, oldest first, for the spends of some outpoints; nodes keep no such index. Ends early once all are found.
 * @param maxBlocks bound of the search: a block is read whole, about 10 ms each on a local node.
 */
export async function findConfirmedSpends(
  node: BitcoinNode,
  outpoints: readonly Outpoint[],
  fromHeight: number,
  maxBlocks: number,
): Promise<NodeResult<{ readonly spends: readonly ConfirmedSpend[]; readonly searchedTo: number }>> {
  const wanted = new Map(outpoints.map((outpoint) => [outpointKey(outpoint), outpoint]));
  const spends: ConfirmedSpend[] = [];
  let height = fromHeight;
  for (; height < fromHeight + maxBlocks && wanted.size > 0; height += 1) {
    const hash = await node.blockHash(height);
    if (!hash.ok) return hash;
    if (hash.value === null) break;
    const block = await node.block(hash.value);
    if (!block.ok) return block;
    if (block.value === null) break;
    for (const transaction of block.value.transactions) {
      for (const [vin, input] of transaction.inputs.entries()) {
        const outpoint = wanted.get(outpointKey(input));
        if (!outpoint) continue;
        wanted.delete(outpointKey(input));
        spends.push({ outpoint, spenderTxid: transaction.txid, vin, block: { height, hash: hash.value } });
      }
    }
  }
  return succeed({ spends, searchedTo: height - 1 });
}
