/**
 * Bencoding (BEP 3) for extended handshakes only: a strict reader with hard bounds, made for bytes of strangers, and a
 * writer with sorted keys.
 */

/** A read value. Strings are views into the input; dictionary keys are given as latin-1 text, one char per byte. */
export type BencodeValue = bigint | Uint8Array | readonly BencodeValue[] | BencodeDictionary;
export type BencodeDictionary = ReadonlyMap<string, BencodeValue>;

/** What the writer takes; text is written as latin-1, so that what was read can be written again. */
export type BencodeInput = number | bigint | string | Uint8Array | readonly BencodeInput[] | BencodeInputDictionary;
export interface BencodeInputDictionary {
  readonly [key: string]: BencodeInput;
}

/** Why bytes are no bencoding we read. */
export type BencodeErrorCode =
  /** The input ends inside a value. */
  | 'bencode-truncated'
  /** A byte that begins no value stands where one should. */
  | 'bencode-unexpected-byte'
  /** Digits missing, a leading zero, a minus zero, or more than 20 characters. */
  | 'bencode-bad-integer'
  /** A string's length is malformed or longer than the input. */
  | 'bencode-bad-length'
  /** Lists and dictionaries nested deeper than 16. */
  | 'bencode-too-deep'
  /** A dictionary key occurs twice, so that readers may disagree about its value. */
  | 'bencode-duplicate-key';

/** Deeper nesting has no use in a handshake; the bound keeps the recursive reader off the end of the stack. */
const MAX_DEPTH = 16;
/** A 64-bit integer with its sign. */
const MAX_INTEGER_CHARS = 20;

const CHAR = { i: 0x69, l: 0x6c, d: 0x64, e: 0x65, colon: 0x3a, minus: 0x2d, zero: 0x30, nine: 0x39 } as const;

/** Carries a reading failure out of the recursion; never leaves this file. */
class Refusal extends Error {
  constructor(readonly code: BencodeErrorCode) {
    super(code);
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= CHAR.zero && byte <= CHAR.nine;

export const latin1 = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
};

class Reader {
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  value(depth: number): BencodeValue {
    const byte = this.bytes[this.#at];
    if (byte === undefined) throw new Refusal('bencode-truncated');
    if (isDigit(byte)) return this.#string();
    if (byte === CHAR.i) return this.#integer();
    if (byte !== CHAR.l && byte !== CHAR.d) throw new Refusal('bencode-unexpected-byte');
    if (depth >= MAX_DEPTH) throw new Refusal('bencode-too-deep');
    this.#at += 1;
    return byte === CHAR.l ? this.#list(depth + 1) : this.#dictionary(depth + 1);
  }

  #list(depth: number): BencodeValue[] {
    const items: BencodeValue[] = [];
    while (!this.#ended()) items.push(this.value(depth));
    return items;
  }

  #dictionary(depth: number): BencodeDictionary {
    const entries = new Map<string, BencodeValue>();
    while (!this.#ended()) {
      if (!isDigit(this.bytes[this.#at])) throw new Refusal('bencode-unexpected-byte');
      const key = latin1(this.#string());
      if (entries.has(key)) throw new Refusal('bencode-duplicate-key');
      entries.set(key, this.value(depth));
    }
    return entries;
  }

  /** Consumes the `e` of a list or dictionary when it is next. */
  #ended(): boolean {
    const byte = this.bytes[this.#at];
    if (byte === undefined) throw new Refusal('bencode-truncated');
    if (byte !== CHAR.e) return false;
    this.#at += 1;
    return true;
  }

  #integer(): bigint {
    const start = this.#at + 1;
    let end = start;
    while (end - start <= MAX_INTEGER_CHARS && (isDigit(this.bytes[end]) || this.bytes[end] === CHAR.minus)) end += 1;
    if (this.bytes[end] === undefined) throw new Refusal('bencode-truncated');
    const text = latin1(this.bytes.subarray(start, end));
    if (this.bytes[end] !== CHAR.e || !/^(0|-?[1-9][0-9]*)$/.test(text)) throw new Refusal('bencode-bad-integer');
    this.#at = end + 1;
    return BigInt(text);
  }

  #string(): Uint8Array {
    let length = 0;
    let end = this.#at;
    for (; isDigit(this.bytes[end]); end += 1) {
      length = length * 10 + (this.bytes[end]! - CHAR.zero);
      if (length > this.bytes.length) throw new Refusal('bencode-bad-length');
    }
    if (this.bytes[end] === undefined) throw new Refusal('bencode-truncated');
    const leadingZero = this.bytes[this.#at] === CHAR.zero && end - this.#at > 1;
    if (this.bytes[end] !== CHAR.colon || leadingZero) throw new Refusal('bencode-bad-length');
    const start = end + 1;
    if (start + length > this.bytes.length) throw new Refusal('bencode-bad-length');
    this.#at = start + length;
    return this.bytes.subarray(start, start + length);
  }
}

/**
 * Reads the first value of `bytes`; what follows it is ignored, as libtorrent does. Never throws; memory is bounded by
 * a constant times the input, which the caller bounds.
 */
export const readBencode = (
  bytes: Uint8Array,
): { readonly ok: true; readonly value: BencodeValue } | { readonly ok: false; readonly code: BencodeErrorCode } => {
  try {
    return { ok: true, value: new Reader(bytes).value(0) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, code: error.code };
    throw error;
  }
};

/** A dictionary, as opposed to the other kinds of value. */
export const isDictionary = (value: BencodeValue | undefined): value is BencodeDictionary => value instanceof Map;

/** The latin-1 text of a bencoded value, dictionary keys sorted by their bytes. */
const write = (value: BencodeInput): string => {
  if (typeof value === 'bigint' || typeof value === 'number') {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`${value} is no integer`);
    return `i${value}e`;
  }
  if (typeof value === 'string') return writeText(value);
  if (value instanceof Uint8Array) return writeText(latin1(value));
  if (isList(value)) return `l${value.map(write).join('')}e`;
  // Default string order compares UTF-16 units, which for latin-1 text is the byte order that BEP 3 asks for.
  const keys = Object.keys(value).sort();
  return `d${keys.map((key) => writeText(key) + write(value[key]!)).join('')}e`;
};

const isList = (value: BencodeInput): value is readonly BencodeInput[] => Array.isArray(value);

const writeText = (text: string): string => {
  if (!/^[\u0000-\u00ff]*$/.test(text)) throw new RangeError('only latin-1 text can be bencoded; give bytes instead');
  return `${text.length}:${text}`;
};

/** Bencodes a value of ours. @throws RangeError on a number that is no integer or text that is not latin-1. */
export const writeBencode = (value: BencodeInput): Uint8Array => {
  const text = write(value);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
};
