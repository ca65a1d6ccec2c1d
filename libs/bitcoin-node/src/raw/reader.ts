/** Reads Bitcoin's wire encoding from a byte string. Throws RangeError at the end of the data; callers turn it into a result. */
export class ByteReader {
  #at = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#step(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }

  /** A view of the next `length` bytes, not a copy. */
  take(length: number): Uint8Array {
    const start = this.#step(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Variable-length integer; a count beyond the remaining bytes can't be honest, as every element takes at least one. */
  count(): number {
    const first = this.u8();
    const value =
      first < 0xfd ? first : first === 0xfd ? this.#u16() : first === 0xfe ? this.u32() : Number(this.u64());
    if (value > this.remaining) throw new RangeError('count exceeds the data');
    return value;
  }

  /** The byte `distance` ahead, without moving; undefined behind the end. */
  peek(distance = 0): number | undefined {
    return this.bytes[this.#at + distance];
  }

  #u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  #step(length: number): number {
    if (length > this.remaining) throw new RangeError('unexpected end of data');
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
