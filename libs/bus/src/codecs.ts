import { z } from 'zod';

/** How domain values travel as JSON: satoshi as decimal strings, bytes as hex, never a float for money. */

const MAX_SAT = 2_100_000_000_000_000n;

/** Not `instanceof`, whose type would ask for an ArrayBuffer of its own; views into shared memory are bytes too. */
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

/** Satoshi, 0 … 21·10¹⁴, as a decimal string. */
export const satoshi = z.codec(z.string().regex(/^(0|[1-9]\d{0,15})$/), z.bigint().min(0n).max(MAX_SAT), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});

/** An unsigned 64-bit integer as a decimal string. */
export const u64 = z.codec(z.string().regex(/^(0|[1-9]\d{0,19})$/), z.bigint().min(0n).max(0xffff_ffff_ffff_ffffn), {
  decode: (text) => BigInt(text),
  encode: (value) => value.toString(),
});

/** Exactly `length` bytes as lowercase hex. */
export const fixedBytes = (length: number) =>
  z.codec(z.string().regex(new RegExp(`^[0-9a-f]{${length * 2}}$`)), bytes, {
    decode: (text) => new Uint8Array(Buffer.from(text, 'hex')),
    encode: (value) => Buffer.from(value).toString('hex'),
  });

/** At most `maxLength` bytes as lowercase hex. */
export const boundedBytes = (maxLength: number) =>
  z.codec(
    z
      .string()
      .max(maxLength * 2)
      .regex(/^([0-9a-f]{2})*$/),
    bytes,
    {
      decode: (text) => new Uint8Array(Buffer.from(text, 'hex')),
      encode: (value) => Buffer.from(value).toString('hex'),
    },
  );

/** At most `maxLength` bytes as base64, for payloads where size counts. */
export const base64Bytes = (maxLength: number) =>
  z.codec(z.base64().max(Math.ceil(maxLength / 3) * 4), bytes, {
    decode: (text) => new Uint8Array(Buffer.from(text, 'base64')),
    encode: (value) => Buffer.from(value).toString('base64'),
  });

export const infoHash = z.string().regex(/^[0-9a-f]{40}$/);
/** Display order, the order of RPC and block explorers. */
export const txid = z.string().regex(/^[0-9a-f]{64}$/);
export const blockHash = txid;
export const vout = z.int().min(0).max(0xffff_ffff);
export const channelId = z.uuid();
/** Also a NATS subject token and a Postgres key. */
export const nodeId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
export const publicKey = fixedBytes(33);
export const keyHash = fixedBytes(20);
/** A number of payments; safe integers cover every value that fits 21 million coins. */
export const paymentNumber = z.int().min(0);
/** Median time past or wall time in whole seconds since 1970. */
export const unixSeconds = z.int().min(0);
/** A stable word that programs branch on. */
export const code = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/);
