import { Transaction } from 'bitcoinjs-lib';
import { equalBytes, fromHex, toHex } from '@seedfleet/payment-channel';
import type { Coin } from './coins.js';
import type { KeyPair } from './hd.js';
import { outputScript, type CoinKind } from './outputs.js';

const KINDS: readonly CoinKind[] = ['p2pkh', 'p2wpkh'];

/**
 * The coin that a transaction makes for a key, its value read from the bytes: who signs without being told a value can't
 * be told a wrong one. Undefined where the bytes are no transaction, or the output is another key's.
 */
export function ownCoin(transactionBytes: Uint8Array, index: number, key: KeyPair): Coin | undefined {
  const transaction = parse(transactionBytes);
  const output = transaction?.outs[index];
  if (transaction === undefined || output === undefined) return undefined;
  const kind = KINDS.find((one) => equalBytes(outputScript(one, key.keyHash), output.script));
  if (kind === undefined) return undefined;
  return { outpoint: { txid: fromHex(transaction.getId()), index }, valueSat: BigInt(output.value), kind, key };
}

/** Outpoints that a transaction spends, txids in display order, hex; empty where the bytes are none. */
export function spentOutpoints(
  transactionBytes: Uint8Array,
): readonly { readonly txid: string; readonly vout: number }[] {
  const inputs = parse(transactionBytes)?.ins ?? [];
  return inputs.map(({ hash, index }) => ({ txid: toHex(Uint8Array.from(hash).reverse()), vout: index }));
}

function parse(bytes: Uint8Array): Transaction | undefined {
  try {
    return Transaction.fromBuffer(Buffer.from(bytes));
  } catch {
    // bitcoinjs-lib throws for every run of bytes that is no transaction.
    return undefined;
  }
}
