/** Relative locks (BIP 68, BIP 112) as the refund branch of the redeem script uses them. */

/** One unit of a time lock, seconds of median time past (BIP 68). */
export const LOCK_UNIT_SECONDS = 512;

/** Largest lock counter: 16 bits. */
export const MAX_LOCK_UNITS = 0xffff;

/** BIP 68: this bit of the sequence number says that the counter is in units of 512 s, not in blocks. */
const TIME_FLAG = 0x0040_0000;

/** The protocol only ever uses time locks. Block locks are known so that every script the reference can build is understood. */
export interface RelativeLock {
  readonly units: 'time' | 'blocks';
  /** 0…65535: units of 512 s, or blocks. */
  readonly counter: number;
}

export function timeLock(counter: number): RelativeLock {
  return { units: 'time', counter };
}

/** The sequence number of a refund input, and the number in the script: counter, with the time flag for time locks. */
export function lockSequence(lock: RelativeLock): number {
  if (!Number.isInteger(lock.counter) || lock.counter < 0 || lock.counter > MAX_LOCK_UNITS) {
    throw new RangeError('lock counter is not within 0…65535');
  }
  return lock.units === 'time' ? TIME_FLAG | lock.counter : lock.counter;
}

/**
 * The minimal script push of a lock number: `03 L_low L_high 40` for every time lock; for block locks `00`, a single
 * opcode `51`…`60`, or the shortest little-endian number whose highest bit (the sign) is clear.
 */
export function lockPush(lock: RelativeLock): Uint8Array {
  const number = lockSequence(lock);
  if (number === 0) return Uint8Array.of(0x00);
  if (number <= 16) return Uint8Array.of(0x50 + number);
  const digits: number[] = [];
  for (let rest = number; rest > 0; rest >>>= 8) digits.push(rest & 0xff);
  if ((digits[digits.length - 1] ?? 0) & 0x80) digits.push(0);
  return Uint8Array.of(digits.length, ...digits);
}

/** The inverse of {@link lockPush}: the lock and how many bytes its push takes, or undefined where it is not minimal. */
export function parseLockPush(
  script: Uint8Array,
  offset: number,
): { readonly lock: RelativeLock; readonly length: number } | undefined {
  const opcode = script[offset];
  if (opcode === undefined) return undefined;
  let number: number;
  let length = 1;
  if (opcode === 0x00) number = 0;
  else if (opcode >= 0x51 && opcode <= 0x60) number = opcode - 0x50;
  else if (opcode >= 1 && opcode <= 3 && offset + opcode < script.length) {
    number = 0;
    for (let i = opcode; i >= 1; i--) number = number * 256 + (script[offset + i] ?? 0);
    length += opcode;
  } else return undefined;
  const lock: RelativeLock = { units: number & TIME_FLAG ? 'time' : 'blocks', counter: number & MAX_LOCK_UNITS };
  // Building it again refuses numbers that are padded, negative or carry other bits.
  const minimal = lockPush(lock);
  const same = minimal.length === length && minimal.every((byte, i) => byte === script[offset + i]);
  return same ? { lock, length } : undefined;
}

/**
 * Median time past at which a refund may first be mined: a refund fits in block m when MTP(m−1) has reached
 * MTP(h−1) + 512·L, with h the block that holds the funding transaction (BIP 68; payment channel specification §6).
 * @param fundingPreviousMtp median time past of block h−1, seconds.
 * @returns seconds of median time past.
 */
export function refundMaturityMtp(fundingPreviousMtp: number, lockUnits: number): number {
  return fundingPreviousMtp + LOCK_UNIT_SECONDS * lockUnits;
}
