import { succeed, type NodeResult } from '../errors.js';
import type { NodeCapabilities } from '../node.js';
import type { RpcClient } from '../rpc/client.js';
import { helpText, indexInfo } from './schemas.js';
import { typedCall } from './typed-rpc.js';

/** Reads what the node can do from its list of commands and indexes. */
export async function readCapabilities(rpc: RpcClient): Promise<NodeResult<NodeCapabilities>> {
  const help = await typedCall(rpc, helpText, 'help');
  if (!help.ok) return help;
  const lines = help.value.split('\n');
  const commands = new Set(lines.map((line) => line.split(' ')[0]));
  const indexed = await hasTransactionIndex(rpc, commands.has('getindexinfo'));
  if (!indexed.ok) return indexed;
  return succeed({
    mempoolSpenders: commands.has('gettxspendingprevout'),
    packages: commands.has('submitpackage'),
    transactionIndex: indexed.value,
    doubleSpendProofs: commands.has('getdsprooflist'),
    feeLimit: lines.some((line) => /^sendrawtransaction .*allowhighfees/.test(line)) ? 'flag' : 'rate',
  });
}

async function hasTransactionIndex(rpc: RpcClient, askable: boolean): Promise<NodeResult<boolean>> {
  if (!askable) return succeed(false);
  const indexes = await typedCall(rpc, indexInfo, 'getindexinfo', ['txindex']);
  return indexes.ok ? succeed(indexes.value['txindex'] !== undefined) : indexes;
}
