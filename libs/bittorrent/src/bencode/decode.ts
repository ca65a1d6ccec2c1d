/**
 * A strict bencode reader (BEP 3) for bytes that strangers wrote. The `bencode` package is not used for them: a
 * negative string length sends it back over the same bytes for ever.
 */
import { failure, success, type Result } from '../result.js';

export type BencodeErrorCode =
  /** The input ends inside a value. */
  | 'truncated'
  /** A byte stands where the grammar does not allow it; also leading zeros and "-0". */
  | 'malformed'
  /** An integer outside ±(2^53 − 1), or a string longer than the input. */
  | 'number-too-large'
  /** Lists and dictionaries nested deeper than the limit. */
  | 'too-deep'
  /** More values than the limit. */
  | 'too-many-values'
  /** Bytes follow the value. */
  | 'trailing-bytes'
  /** A dictionary holds a key twice. */
  | 'duplicate-key';

export interface BencodeError {
  readonly code: BencodeErrorCode;
  /** Offset of the first byte that could not be accepted. */
  readonly at: number;
}

export interface BencodeLimits {
  /** Deepest nesting accepted. */
  readonly maxDepth: number;
  /** Most values accepted, counting dictionary keys. Bounds the memory that small inputs can claim. */
  readonly maxValues: number;
}

/** A decoded value with the place it was read from, so that a caller can hash or forward the original bytes. */
export type BencodeValue = BencodeInteger | BencodeString | BencodeList | BencodeDictionary;

interface Span {
  readonly start: number;
  /** Offset of the first byte after the value. */
  readonly end: number;
}

export interface BencodeInteger extends Span {
  readonly type: 'integer';
  readonly value: number;
}

export interface BencodeString extends Span {
  readonly type: 'string';
  /** A view into the input. */
  readonly value: Uint8Array;
}

export interface BencodeList extends Span {
  readonly type: 'list';
  readonly value: readonly BencodeValue[];
}

export interface BencodeDictionary extends Span {
  readonly type: 'dictionary';
  /** Keys as Latin-1 text, which maps every byte to one character and so keeps foreign keys distinct. */
  readonly value: ReadonlyMap<string, BencodeValue>;
}

const DEFAULT_LIMITS: BencodeLimits = { maxDepth: 16, maxValues: 1_000_000 };

const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const DICTIONARY = 0x64;
const END = 0x65;
const INTEGER = 0x69;
const LIST = 0x6c;

/**
 * Decodes exactly one value that fills `input`. Keys need not be sorted (clients differ), but must be distinct.
 * Strings are views into `input`. Never throws on bytes.
 */
export function decodeBencode(
  input: Uint8Array,
  limits: BencodeLimits = DEFAULT_LIMITS,
): Result<BencodeValue, BencodeError> {
  const reader = new Reader(input, limits);
  const value = reader.readValue(0);
  if (reader.error !== undefined) return failure(reader.error);
  if (reader.position !== input.length) return failure({ code: 'trailing-bytes', at: reader.position });
  return success(value);
}

/** Placeholder that a failed read returns; the reader's error tells. */
const NOTHING: BencodeInteger = { type: 'integer', value: 0, start: 0, end: 0 };

class Reader {
  position = 0;
  error: BencodeError | undefined;
  private values = 0;

  constructor(
    private readonly input: Uint8Array,
    private readonly limits: BencodeLimits,
  ) {}

  readValue(depth: number): BencodeValue {
    if (++this.values > this.limits.maxValues) return this.fail('too-many-values');
    const byte = this.input[this.position];
    if (byte === undefined) return this.fail('truncated');
    if (byte === INTEGER) return this.readInteger();
    if (byte >= ZERO && byte <= NINE) return this.readString();
    if (byte !== LIST && byte !== DICTIONARY) return this.fail('malformed');
    if (depth >= this.limits.maxDepth) return this.fail('too-deep');
    return byte === LIST ? this.readList(depth + 1) : this.readDictionary(depth + 1);
  }

  private readInteger(): BencodeValue {
    const start = this.position++;
    const value = this.readDigits(END, true);
    return this.error === undefined ? { type: 'integer', value, start, end: this.position } : NOTHING;
  }

  private readString(): BencodeValue {
    const start = this.position;
    const length = this.readDigits(COLON, false);
    if (this.error !== undefined) return NOTHING;
    const from = this.position;
    if (length > this.input.length - from) return this.fail('truncated');
    this.position = from + length;
    return { type: 'string', value: this.input.subarray(from, this.position), start, end: this.position };
  }

  private readList(depth: number): BencodeValue {
    const start = this.position++;
    const items: BencodeValue[] = [];
    while (this.input[this.position] !== END) {
      items.push(this.readValue(depth));
      if (this.error !== undefined) return NOTHING;
    }
    this.position++;
    return { type: 'list', value: items, start, end: this.position };
  }

  private readDictionary(depth: number): BencodeValue {
    const start = this.position++;
    const entries = new Map<string, BencodeValue>();
    while (this.input[this.position] !== END) {
      const keyAt = this.position;
      const first = this.input[keyAt];
      if (first === undefined) return this.fail('truncated');
      if (first < ZERO || first > NINE) return this.fail('malformed');
      const key = this.readValue(depth);
      if (this.error !== undefined || key.type !== 'string') return NOTHING;
      const name = latin1(key.value);
      if (entries.has(name)) {
        this.position = keyAt;
        return this.fail('duplicate-key');
      }
      entries.set(name, this.readValue(depth));
      if (this.error !== undefined) return NOTHING;
    }
    this.position++;
    return { type: 'dictionary', value: entries, start, end: this.position };
  }

  /** Reads a canonical decimal number and the terminator after it. */
  private readDigits(terminator: number, signed: boolean): number {
    const negative = signed && this.input[this.position] === MINUS;
    if (negative) this.position++;
    const first = this.position;
    let value = 0;
    for (;;) {
      const byte = this.input[this.position];
      if (byte === undefined) return this.failNumber('truncated');
      if (byte === terminator && this.position > first) break;
      if (byte < ZERO || byte > NINE) return this.failNumber('malformed');
      if (this.position > first && this.input[first] === ZERO) return this.failNumber('malformed');
      value = value * 10 + (byte - ZERO);
      if (value > Number.MAX_SAFE_INTEGER) return this.failNumber('number-too-large');
      this.position++;
    }
    if (negative && value === 0) return this.failNumber('malformed');
    this.position++;
    return negative ? -value : value;
  }

  private failNumber(code: BencodeErrorCode): number {
    this.fail(code);
    return 0;
  }

  private fail(code: BencodeErrorCode): BencodeValue {
    this.error ??= { code, at: this.position };
    return NOTHING;
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
