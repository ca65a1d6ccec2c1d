import { outpointKey, type DoubleSpendProof } from '@seedfleet/bitcoin-node';

/** As much of a watched output as tells whether it is doubted. */
export interface DoubtedOutput {
  readonly txid: string;
  /** Outpoints that its funding spends, as `txid:vout`; empty while that is not known. */
  readonly inputs: readonly string[];
}

/**
 * Fundings that proofs of double spends are about: by the transaction that was seen first, or by an input that they share with
 * one that the node does not have. From the funding's id to the proof's.
 */
export function provenRivals(
  outputs: readonly DoubtedOutput[],
  proofs: readonly DoubleSpendProof[],
): ReadonlyMap<string, string> {
  const byTxid = new Map(proofs.flatMap(({ id, txid }): [string, string][] => (txid === null ? [] : [[txid, id]])));
  const byOutpoint = new Map(proofs.map(({ id, outpoint }): [string, string] => [outpointKey(outpoint), id]));
  const rivals = new Map<string, string>();
  for (const { txid, inputs } of outputs) {
    const shared = inputs.find((input) => byOutpoint.has(input));
    const proof = byTxid.get(txid) ?? (shared === undefined ? undefined : byOutpoint.get(shared));
    if (proof !== undefined) rivals.set(txid, proof);
  }
  return rivals;
}
