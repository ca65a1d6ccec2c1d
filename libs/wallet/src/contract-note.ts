import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { concatBytes } from '@seedfleet/payment-channel';

/**
 * The note that a funding transaction carries for its own buyer, in an OP_RETURN output: what the seed does not know of
 * each deposit, the seller's key and the lock. With it the seed words alone find and refund every deposit on the chain.
 *
 * The bytes are `tag(8) ‖ AES-256-CTR(seller key(33) ‖ lock(2) …)`, so to anybody else they are noise. The tag is an
 * HMAC over the funding transaction's first outpoint and the text, and is the counter's start as well (a synthetic IV):
 * no two texts share a key stream, and nothing random is needed.
 */

export interface NotedDeposit {
  /** 33 bytes. */
  readonly sellerPublicKey: Uint8Array;
  /** 0…65535, units of 512 s. */
  readonly lockUnits: number;
}

const TAG_BYTES = 8;
const DEPOSIT_BYTES = 35;

/** Deposits that fit in the 80 bytes which nodes relay by default (Bitcoin Core's -datacarriersize of 83). */
export const MAX_NOTED_DEPOSITS = 2;

/** OP_RETURN and one push of at most 80 bytes. */
export function noteScript(note: Uint8Array): Uint8Array {
  const push = note.length <= 75 ? Uint8Array.of(note.length) : Uint8Array.of(0x4c, note.length);
  return concatBytes(Uint8Array.of(0x6a), push, note);
}

/** The pushed bytes of an output script that may hold a note, else undefined. */
export function noteOfScript(script: Uint8Array): Uint8Array | undefined {
  if (script[0] !== 0x6a) return undefined;
  const at = script[1] === 0x4c ? 3 : 2;
  const length = script[at - 1];
  const note = script.subarray(at);
  const fits = length === note.length && note.length > TAG_BYTES && (note.length - TAG_BYTES) % DEPOSIT_BYTES === 0;
  return fits ? note : undefined;
}

/**
 * Seals the deposits, in output order from output 0.
 * @param key 32 bytes, `noteKey`
 * @param firstOutpoint the transaction's first input, serialised: what makes the note fit no other transaction
 */
export function sealNote(key: Uint8Array, firstOutpoint: Uint8Array, deposits: readonly NotedDeposit[]): Uint8Array {
  const text = concatBytes(
    ...deposits.map(({ sellerPublicKey, lockUnits }) => {
      if (sellerPublicKey.length !== 33) throw new RangeError('a public key has 33 bytes');
      return concatBytes(sellerPublicKey, Uint8Array.of(lockUnits & 0xff, lockUnits >> 8));
    }),
  );
  const tag = tagOf(key, firstOutpoint, text);
  const cipher = createCipheriv('aes-256-ctr', subkey(key, 'cipher'), counterOf(tag));
  return concatBytes(tag, Uint8Array.from(cipher.update(text)));
}

/** The deposits of a note, or undefined where this key did not seal it. */
export function openNote(
  key: Uint8Array,
  firstOutpoint: Uint8Array,
  note: Uint8Array,
): readonly NotedDeposit[] | undefined {
  const tag = note.subarray(0, TAG_BYTES);
  const decipher = createDecipheriv('aes-256-ctr', subkey(key, 'cipher'), counterOf(tag));
  const text = Uint8Array.from(decipher.update(note.subarray(TAG_BYTES)));
  if (tag.length !== TAG_BYTES || !timingSafeEqual(tagOf(key, firstOutpoint, text), tag)) return undefined;
  const deposits: NotedDeposit[] = [];
  for (let at = 0; at + DEPOSIT_BYTES <= text.length; at += DEPOSIT_BYTES) {
    const sellerPublicKey = text.slice(at, at + 33);
    deposits.push({ sellerPublicKey, lockUnits: (text[at + 33] ?? 0) | ((text[at + 34] ?? 0) << 8) });
  }
  return deposits;
}

function tagOf(key: Uint8Array, firstOutpoint: Uint8Array, text: Uint8Array): Uint8Array {
  const hmac = createHmac('sha256', subkey(key, 'tag')).update(firstOutpoint).update(text);
  return Uint8Array.from(hmac.digest().subarray(0, TAG_BYTES));
}

function subkey(key: Uint8Array, use: string): Uint8Array {
  return createHmac('sha256', key).update(`seedfleet contract note 1 ${use}`).digest();
}

function counterOf(tag: Uint8Array): Uint8Array {
  const counter = new Uint8Array(16);
  counter.set(tag);
  return counter;
}
