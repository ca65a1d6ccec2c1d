import { classifyRefusal, type BroadcastOutcome, type PackageOutcome } from '../broadcast-outcome.js';
import { decimalFromSat } from '../amounts.js';
import { fail, succeed, type NodeResult } from '../errors.js';
import type { BroadcastOptions, NodeCapabilities } from '../node.js';
import { parseTransactionHex } from '../raw/transaction.js';
import type { RpcClient } from '../rpc/client.js';
import { mempoolEntry, packageResult, testAccept, transaction, txid } from './schemas.js';
import { absentAsNull, typedCall } from './typed-rpc.js';

const MALFORMED: BroadcastOutcome = { code: 'malformed', txid: '', reason: 'the bytes are no transaction' };

/** Sends a transaction. Asks for it first, as the node answers a repeated broadcast like a new one. */
export async function broadcast(
  rpc: RpcClient,
  hex: string,
  options: BroadcastOptions,
  limit: NodeCapabilities['feeLimit'],
): Promise<NodeResult<BroadcastOutcome>> {
  const parsed = parseTransactionHex(hex);
  if (!parsed) return succeed(MALFORMED);
  const id = parsed.txid;
  const known = absentAsNull(await typedCall(rpc, mempoolEntry, 'getmempoolentry', [id]));
  if (!known.ok) return known;
  if (known.value !== null) return succeed({ code: 'already-in-mempool', txid: id, reason: '' });

  const sent = await typedCall(rpc, txid, 'sendrawtransaction', [hex, ...feeLimit(options, limit)]);
  if (sent.ok) return succeed({ code: 'accepted', txid: id, reason: '' });
  if (sent.error.code !== 'rpc') return sent;
  const code = classifyRefusal(sent.error.message, sent.error.rpcCode);
  // A transaction whose outputs are all spent looks like one with missing inputs; only its presence in a block tells.
  if (code === 'missing-inputs' && (await isConfirmed(rpc, id))) {
    return succeed({ code: 'already-in-chain', txid: id, reason: sent.error.message });
  }
  return succeed({ code, txid: id, reason: sent.error.message });
}

/** Asks for the verdict without sending. */
export async function testBroadcast(
  rpc: RpcClient,
  hex: string,
  options: BroadcastOptions,
  limit: NodeCapabilities['feeLimit'],
): Promise<NodeResult<BroadcastOutcome>> {
  const parsed = parseTransactionHex(hex);
  if (!parsed) return succeed(MALFORMED);
  const answer = await typedCall(rpc, testAccept, 'testmempoolaccept', [[hex], ...feeLimit(options, limit)]);
  if (!answer.ok) return answer;
  const verdict = answer.value[0];
  if (verdict?.allowed === true) return succeed({ code: 'accepted', txid: parsed.txid, reason: '' });
  const reason = verdict?.['reject-reason'] ?? 'no reason given';
  const code = classifyRefusal(reason);
  if (code === 'missing-inputs' && (await isConfirmed(rpc, parsed.txid))) {
    return succeed({ code: 'already-in-chain', txid: parsed.txid, reason });
  }
  return succeed({ code, txid: parsed.txid, reason });
}

/** Submits parents and one child (last) together. */
export async function submitPackage(rpc: RpcClient, hexes: readonly string[]): Promise<NodeResult<PackageOutcome>> {
  const parsed = hexes.map(parseTransactionHex);
  const answer = await typedCall(rpc, packageResult, 'submitpackage', [hexes]);
  if (!answer.ok) {
    if (answer.error.code !== 'rpc') return fail(answer.error);
    const code = classifyRefusal(answer.error.message, answer.error.rpcCode);
    const reason = answer.error.message;
    return succeed({
      accepted: false,
      reason,
      transactions: parsed.map((one) => ({ code: one ? code : 'malformed', txid: one?.txid ?? '', reason })),
    });
  }
  const byTxid = new Map(Object.values(answer.value['tx-results']).map((result) => [result.txid, result.error]));
  const transactions = parsed.map((one): BroadcastOutcome => {
    if (!one) return MALFORMED;
    const reason = byTxid.get(one.txid);
    return reason === undefined
      ? { code: 'accepted', txid: one.txid, reason: '' }
      : { code: classifyRefusal(reason), txid: one.txid, reason };
  });
  return succeed({ accepted: answer.value.package_msg === 'success', reason: answer.value.package_msg, transactions });
}

async function isConfirmed(rpc: RpcClient, id: string): Promise<boolean> {
  const found = await typedCall(rpc, transaction, 'getrawtransaction', [id, true]);
  return found.ok && (found.value.confirmations ?? 0) > 0;
}

/** BCHN takes no rate: its own limit holds (`-maxtxfee`), or none where none is wanted. */
function feeLimit({ maxFeeRateSatPerKvb: rate }: BroadcastOptions, limit: NodeCapabilities['feeLimit']) {
  if (rate === undefined) return [];
  return limit === 'rate' ? [decimalFromSat(rate)] : [rate === 0n];
}
