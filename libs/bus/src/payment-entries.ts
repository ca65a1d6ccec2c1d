import { z } from 'zod';

/**
 * The payments of a batch, checked by hand as one list: by a schema of each entry's members writing a payment took 5 to 9 µs
 * of the node's one thread and reading it 4, by this 2 to 3 each (on a busy machine). What is accepted, and how it looks
 * as JSON, is what that schema said; a test holds the two together.
 */
export interface PaymentOnBus {
  readonly channelId: string;
  /** Payments up to this one are paid. */
  readonly k: number;
  /** DER. */
  readonly signature: Uint8Array;
}

export interface PaymentText {
  readonly channelId: string;
  readonly k: number;
  /** Lowercase hex. */
  readonly signature: string;
}

/** Entries of a batch. */
export const MAX_BATCH_ENTRIES = 2_000;
/** A signature of ECDSA in DER has at most 72 bytes, 73 with a sighash byte. */
export const MAX_SIGNATURE_BYTES = 73;

const CHANNEL_ID = z.regexes.uuid();
const HEX = /^[0-9a-f]*$/;

const isChannelAndNumber = (value: unknown): value is { channelId: string; k: number; signature: unknown } => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { channelId, k } = value as Record<string, unknown>;
  return typeof channelId === 'string' && CHANNEL_ID.test(channelId) && Number.isSafeInteger(k) && (k as number) >= 0;
};

const isText = (value: unknown): value is PaymentText => {
  if (!isChannelAndNumber(value) || typeof value.signature !== 'string') return false;
  const { length } = value.signature;
  return length <= MAX_SIGNATURE_BYTES * 2 && length % 2 === 0 && HEX.test(value.signature);
};

const isPayment = (value: unknown): value is PaymentOnBus =>
  isChannelAndNumber(value) && value.signature instanceof Uint8Array && value.signature.length <= MAX_SIGNATURE_BYTES;

const listOf =
  <T>(isOne: (value: unknown) => value is T) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.length <= MAX_BATCH_ENTRIES && value.every(isOne);

export const paymentEntries = z.codec(
  z.custom<PaymentText[]>(listOf(isText), 'not a list of payments'),
  z.custom<PaymentOnBus[]>(listOf(isPayment), 'not a list of payments'),
  {
    decode: (texts) =>
      texts.map(({ channelId, k, signature }) => ({
        channelId,
        k,
        signature: new Uint8Array(Buffer.from(signature, 'hex')),
      })),
    encode: (payments) =>
      payments.map(({ channelId, k, signature: { buffer, byteOffset, length } }) => ({
        channelId,
        k,
        signature: Buffer.from(buffer, byteOffset, length).toString('hex'),
      })),
  },
);
