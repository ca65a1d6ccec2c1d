import { createHash } from 'node:crypto';
import { ByteReader } from './reader.js';

/** A reference to one output of a transaction. */
export interface Outpoint {
  /** Transaction id in display order (reversed hash), lower-case hexadecimal. */
  readonly txid: string;
  readonly vout: number;
}

export interface TxInput extends Outpoint {
  readonly sequence: number;
  readonly scriptSig: Uint8Array;
}

export interface TxOutput {
  readonly valueSat: bigint;
  readonly script: Uint8Array;
}

/** A decoded transaction; `txid` is recomputed from the bytes, never believed. */
export interface RawTransaction {
  readonly txid: string;
  readonly version: number;
  readonly inputs: readonly TxInput[];
  readonly outputs: readonly TxOutput[];
  readonly lockTime: number;
  /** Bytes with witnesses. */
  readonly sizeBytes: number;
  /** Virtual size as BIP 141 defines it: weight / 4, rounded up. */
  readonly virtualSize: number;
}

/** Decodes exactly one transaction (BIP 144 form or the older one); undefined if the bytes are anything else. */
export function parseTransaction(bytes: Uint8Array): RawTransaction | undefined {
  const reader = new ByteReader(bytes);
  try {
    const transaction = readTransaction(reader);
    return reader.remaining === 0 ? transaction : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Decodes a transaction from hexadecimal; undefined if it is none. */
export function parseTransactionHex(hex: string): RawTransaction | undefined {
  return /^(?:[0-9a-f]{2})+$/i.test(hex) ? parseTransaction(Buffer.from(hex, 'hex')) : undefined;
}

/** Reads one transaction from the stream. Throws RangeError where the data ends too early. */
export function readTransaction(reader: ByteReader): RawTransaction {
  const start = reader.offset;
  const version = reader.i32();
  // BIP 144: where a count of inputs would stand, a zero followed by a non-zero flag announces witnesses.
  const witnesses = reader.peek() === 0 && reader.peek(1) === 1;
  if (witnesses) reader.take(2);
  const bodyStart = reader.offset;
  const inputs = repeat(reader.count(), () => readInput(reader));
  const outputs = repeat(reader.count(), () => readOutput(reader));
  const bodyEnd = reader.offset;
  if (witnesses) for (const _ of inputs) skipWitness(reader);
  const lockTime = reader.u32();
  const sizeBytes = reader.offset - start;
  const strippedBytes = 4 + (bodyEnd - bodyStart) + 4;
  return {
    txid: displayHash(
      reader.bytes.subarray(start, start + 4),
      reader.bytes.subarray(bodyStart, bodyEnd),
      reader.bytes.subarray(reader.offset - 4, reader.offset),
    ),
    version,
    inputs,
    outputs,
    lockTime,
    sizeBytes,
    virtualSize: Math.ceil((3 * strippedBytes + sizeBytes) / 4),
  };
}

/** Double SHA-256 of the concatenation, reversed as ids and block hashes are shown. */
export function displayHash(...parts: readonly Uint8Array[]): string {
  const inner = createHash('sha256');
  for (const part of parts) inner.update(part);
  return createHash('sha256').update(inner.digest()).digest().reverse().toString('hex');
}

/** A hash as it stands in the data, turned into display order. */
export const displayOrder = (hash: Uint8Array): string => Buffer.from(hash).reverse().toString('hex');

function readInput(reader: ByteReader): TxInput {
  const txid = displayOrder(reader.take(32));
  const vout = reader.u32();
  const scriptSig = reader.take(reader.count());
  return { txid, vout, scriptSig, sequence: reader.u32() };
}

function readOutput(reader: ByteReader): TxOutput {
  const valueSat = reader.u64();
  return { valueSat, script: reader.take(reader.count()) };
}

function skipWitness(reader: ByteReader): void {
  for (let items = reader.count(); items > 0; items -= 1) reader.take(reader.count());
}

function repeat<T>(times: number, read: () => T): T[] {
  const items: T[] = [];
  for (let index = 0; index < times; index += 1) items.push(read());
  return items;
}
