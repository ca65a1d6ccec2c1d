/** A set of piece indices as bits, first piece in the highest bit, the order of BitTorrent's bitfield (BEP 3). */
export class PieceSet {
  private readonly bits: Uint8Array;
  private members = 0;

  /** @param size Number of pieces of the torrent; indices are 0 … size − 1. */
  constructor(readonly size: number) {
    this.bits = new Uint8Array(Math.ceil(size / 8));
  }

  static full(size: number): PieceSet {
    const set = new PieceSet(size);
    set.addAll();
    return set;
  }

  /** Reads a bitfield; undefined when its length does not fit or spare bits are set (BEP 3 calls both an error). */
  static fromBitfield(bits: Uint8Array, size: number): PieceSet | undefined {
    const set = new PieceSet(size);
    if (bits.length !== set.bits.length) return undefined;
    const spare = bits.length * 8 - size;
    if (spare > 0 && ((bits[bits.length - 1] ?? 0) & ((1 << spare) - 1)) !== 0) return undefined;
    set.bits.set(bits);
    for (const byte of bits) set.members += onesIn(byte);
    return set;
  }

  /** How many pieces are in the set. */
  get count(): number {
    return this.members;
  }

  get isFull(): boolean {
    return this.members === this.size;
  }

  has(piece: number): boolean {
    return piece >= 0 && piece < this.size && ((this.bits[piece >>> 3] ?? 0) & (0x80 >>> (piece & 7))) !== 0;
  }

  /** Adds a piece; indices outside the torrent are ignored. Returns whether it was new. */
  add(piece: number): boolean {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.size || this.has(piece)) return false;
    this.bits[piece >>> 3] = (this.bits[piece >>> 3] ?? 0) | (0x80 >>> (piece & 7));
    this.members++;
    return true;
  }

  addAll(): void {
    this.bits.fill(0xff);
    const spare = this.bits.length * 8 - this.size;
    if (spare > 0) this.bits[this.bits.length - 1] = (0xff << spare) & 0xff;
    this.members = this.size;
  }

  /** The bitfield as it travels; a copy. */
  toBitfield(): Uint8Array {
    return this.bits.slice();
  }
}

function onesIn(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
  return ones;
}
