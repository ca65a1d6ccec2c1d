import { outpointKey, type RawBlock, type RawTransaction } from '@seedfleet/bitcoin-node';

/** What one block does to outputs and transactions, ready to be asked about. */
export interface BlockEffects {
  /** All transactions in the block, by id. */
  readonly created: ReadonlyMap<string, RawTransaction>;
  /** Spending transaction by outpoint (`txid:vout`). */
  readonly spenders: ReadonlyMap<string, string>;
  /** Ids of transactions that are created or spent from: the only ones whose outputs this block can touch. */
  readonly touched: readonly string[];
}

export const NO_EFFECTS: BlockEffects = { created: new Map(), spenders: new Map(), touched: [] };

/** Indexes a block. Coinbase inputs name no output and match nothing. */
export function blockEffects(block: RawBlock): BlockEffects {
  const created = new Map<string, RawTransaction>();
  const spenders = new Map<string, string>();
  const touched = new Set<string>();
  for (const transaction of block.transactions) {
    created.set(transaction.txid, transaction);
    touched.add(transaction.txid);
    for (const input of transaction.inputs) {
      spenders.set(outpointKey(input), transaction.txid);
      touched.add(input.txid);
    }
  }
  return { created, spenders, touched: [...touched] };
}
