import {
  findConfirmedSpends,
  succeed,
  type BitcoinNode,
  type FoundTransaction,
  type MempoolEntry,
  type NodeResult,
  type Outpoint,
} from '@seedfleet/bitcoin-node';
import { SPEND_SEARCH_BLOCKS } from '../defaults.js';
import type { Spend } from './output-life.js';

/** Everything the node knows about one output, at the moment of asking. */
export interface OutputFacts {
  readonly found: FoundTransaction;
  /** Median time past of the block before the funding block, seconds; null in the mempool. */
  readonly fundingMtp: number | null;
  /** When the node first saw it, or the time of its block; Unix seconds. */
  readonly seenAtSec: number;
  readonly spend: Spend | null;
  /** Null once confirmed. */
  readonly mempool: MempoolEntry | null;
}

/** Asks the node about an output; null if neither its mempool nor its active chain holds the transaction. */
export async function lookUpOutput(node: BitcoinNode, outpoint: Outpoint): Promise<NodeResult<OutputFacts | null>> {
  const found = await node.transaction(outpoint.txid, { vout: outpoint.vout });
  if (!found.ok || found.value === null) return found as NodeResult<null>;
  const { place, transaction } = found.value;
  if (place.kind === 'stale-block') return succeed(null);
  const exists = outpoint.vout < transaction.outputs.length;
  const spend = exists ? await lookUpSpend(node, outpoint, place.kind === 'block' ? place.block.height : null) : null;
  if (spend && !spend.ok) return spend;

  if (place.kind === 'mempool') {
    const entry = await node.mempoolEntry(outpoint.txid);
    // Mined or evicted between two questions: the asker asks again.
    if (!entry.ok || entry.value === null) return entry as NodeResult<null>;
    const seenAtSec = entry.value.timeSec;
    return succeed({
      found: found.value,
      fundingMtp: null,
      seenAtSec,
      spend: spend?.value ?? null,
      mempool: entry.value,
    });
  }
  const header = await node.header(place.block.hash);
  if (!header.ok || header.value === null) return header as NodeResult<null>;
  const { previousHash, timeSec, medianTimeSec } = header.value;
  const previous = previousHash === null ? null : await node.header(previousHash);
  if (previous && !previous.ok) return previous;
  const fundingMtp = previous?.value?.medianTimeSec ?? medianTimeSec;
  return succeed({ found: found.value, fundingMtp, seenAtSec: timeSec, spend: spend?.value ?? null, mempool: null });
}

/** @param fundingHeight null while the funding is in the mempool: then only the mempool can spend it. */
async function lookUpSpend(
  node: BitcoinNode,
  outpoint: Outpoint,
  fundingHeight: number | null,
): Promise<NodeResult<Spend | null>> {
  const unspent = await node.unspentOutput(outpoint);
  if (!unspent.ok) return unspent;
  if (unspent.value !== null) return succeed(null);
  const spenders = await node.mempoolSpenders([outpoint]);
  if (!spenders.ok) return spenders;
  const inMempool = spenders.value[0]?.spenderTxid;
  if (inMempool) return succeed({ txid: inMempool, height: null, hash: null });
  if (fundingHeight === null) return succeed(null);
  const mined = await findConfirmedSpends(node, [outpoint], fundingHeight, SPEND_SEARCH_BLOCKS);
  if (!mined.ok) return mined;
  const spend = mined.value.spends[0];
  return succeed(spend ? { txid: spend.spenderTxid, height: spend.block.height, hash: spend.block.hash } : null);
}
