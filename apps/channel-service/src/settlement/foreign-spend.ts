import { decodeTransaction, equalBytes, p2pkhScript } from '@seedfleet/payment-channel';
import type { ChainClient } from '../chain/chain-client.js';
import type { ChannelRow } from '../channels/channel-row.js';
import type { ForeignSpend, Twin } from './settlement-progress.js';
import { isTwin } from './settlement-twin.js';

/** What spends the funding output in place of our settlement; null if nothing does, undefined while nobody answers. */
export async function findForeignSpend(
  chain: ChainClient,
  row: ChannelRow,
  tipHeight: number | undefined,
): Promise<ForeignSpend | null | undefined> {
  if (row.fundingTxid === null || row.fundingVout === null) return null;
  const output = await chain.output(row.fundingTxid, row.fundingVout);
  if (!output.ok) return undefined;
  if (!output.value.found || output.value.spentBy === null) return null;
  const { txid, height } = output.value.spentBy;
  if (txid === row.settlementTxid) return null;
  if (height !== null && tipHeight === undefined) return undefined;
  const confirmations = height === null || tipHeight === undefined ? 0 : Math.max(1, tipHeight - height + 1);
  return { txid, height, confirmations, twin: await findTwin(chain, row, txid) };
}

/**
 * Asked by our own output first: nobody else can spend it, so that a node without an index of transactions finds a mined
 * twin by it too, and one that it does not find is none. One that is known is not asked for again: it may be spent by now.
 */
async function findTwin(chain: ChainClient, row: ChannelRow, txid: string): Promise<Twin | false | null> {
  if (row.settlementRaw === null) return false;
  if (row.minedTxid === txid && row.minedRaw !== null) return { txid, raw: row.minedRaw };
  for (const vout of [1, 0]) {
    const spender = await chain.output(txid, vout);
    if (!spender.ok) return null;
    if (!spender.value.found) continue;
    const raw = new Uint8Array(spender.value.raw);
    if (isTwin(row.settlementRaw, raw)) return { txid, raw };
    // Another payment's settlement is no refund, and pays something else: a person has to book it.
    return paysOurs(row, raw) ? null : false;
  }
  return false;
}

/** Whether a transaction pays our payout key: the tower sent it while it could not be heard. */
function paysOurs(row: ChannelRow, raw: Uint8Array): boolean {
  const own = p2pkhScript(row.sellerKeyHash);
  return decodeTransaction(raw)?.outs.some(({ script }) => equalBytes(script, own)) === true;
}
