import { parseTransaction } from '@seedfleet/bitcoin-node';
import type { OrderedTransaction } from '../orders/worth.js';

/** What a made-up settlement spends and pays. */
export interface Settlement {
  /** A byte, of which the output's txid is made. */
  readonly funding: number;
  readonly changeSat: number;
  /** Null where nothing is for the seller. */
  readonly earnedSat: number | null;
  /** Bytes of which the scripts are made. */
  readonly buyer: number;
  readonly seller: number;
}

/** A transaction as a settlement is built: one input, the buyer's change, the seller's net. Its script is no real one. */
export function settlementOf({ funding, changeSat, earnedSat, buyer, seller }: Settlement): OrderedTransaction {
  const pays = (valueSat: number, to: number): Buffer => {
    const output = Buffer.alloc(34);
    output.writeBigUInt64LE(BigInt(valueSat));
    output.set([25, 0x76, 0xa9, 20, ...Array<number>(20).fill(to), 0x88, 0xac], 8);
    return output;
  };
  const outputs = [pays(changeSat, buyer), ...(earnedSat === null ? [] : [pays(earnedSat, seller)])];
  const raw = Buffer.concat([
    Buffer.from([1, 0, 0, 0, 1, ...Array<number>(32).fill(funding), 0, 0, 0, 0, 1, 0x51, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([outputs.length]),
    ...outputs,
    Buffer.alloc(4),
  ]);
  const txid = parseTransaction(raw)?.txid ?? '';
  const output = { txid: funding.toString(16).padStart(2, '0').repeat(32), vout: 0 };
  return { txid, raw: new Uint8Array(raw), output };
}
