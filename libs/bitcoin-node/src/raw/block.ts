import { ByteReader } from './reader.js';
import { displayHash, displayOrder, readTransaction, type RawTransaction } from './transaction.js';

const HEADER_BYTES = 80;

/** A decoded block; hash and transaction ids are recomputed from the bytes. */
export interface RawBlock {
  readonly hash: string;
  readonly previousHash: string;
  readonly timeSec: number;
  readonly transactions: readonly RawTransaction[];
}

/** Decodes exactly one block; undefined if the bytes are anything else. */
export function parseBlock(bytes: Uint8Array): RawBlock | undefined {
  if (bytes.length <= HEADER_BYTES) return undefined;
  const header = new ByteReader(bytes.subarray(0, HEADER_BYTES));
  header.take(4);
  const previousHash = displayOrder(header.take(32));
  header.take(32);
  const timeSec = header.u32();
  const body = new ByteReader(bytes.subarray(HEADER_BYTES));
  try {
    const transactions: RawTransaction[] = [];
    for (let left = body.count(); left > 0; left -= 1) transactions.push(readTransaction(body));
    if (body.remaining > 0) return undefined;
    return { hash: displayHash(header.bytes), previousHash, timeSec, transactions };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
