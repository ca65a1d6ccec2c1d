import type { Network } from '@seedfleet/payment-channel';

/**
 * Addresses of Bitcoin Cash ("CashAddr"): a prefix, a colon, and in 32 characters a version byte, a hash and a checksum
 * of 40 bits over all of them. Each text is of one network only, unlike the older form that Bitcoin shares.
 */

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const CHECKSUM_CHARACTERS = 8;
/** Taps of the checksum's shift register, one for each bit of the five that leave it. */
const TAPS = [0x98f2bc8e61n, 0x79b76d99e2n, 0xf33e5fb3c4n, 0xae2eabe2a8n, 0x1e4f43e470n];
const REGISTER = 0x07ffffffffn;
/** Length of the hash by the lowest three bits of the version byte; only these two are in use. */
const HASH_BYTES: Readonly<Record<number, number>> = { 0: 20, 3: 32 };

export interface CashAddress {
  readonly kind: 'key' | 'script';
  /** 20 bytes; of a script also 32. */
  readonly hash: Uint8Array;
}

/** Undefined where the network is none of Bitcoin Cash. */
export function cashPrefix(network: Network): string | undefined {
  switch (network) {
    case 'mainnet_bitcoin_cash':
      return 'bitcoincash';
    case 'testnet_bitcoin_cash':
      return 'bchtest';
    case 'regtest_bitcoin_cash':
      return 'bchreg';
    case 'mainnet':
    case 'testnet3':
    case 'regtest':
      return undefined;
  }
}

/** The address of a key hash of 20 bytes, with its prefix. */
export function encodeCashAddress(keyHash: Uint8Array, prefix: string): string {
  if (keyHash.length !== 20) throw new RangeError('a key hash has 20 bytes');
  const payload = regroup(Uint8Array.of(0, ...keyHash), 8, 5, true) ?? [];
  const check = checksum([...prefixValues(prefix), ...payload, ...new Array<number>(CHECKSUM_CHARACTERS).fill(0)]);
  const tail = Array.from({ length: CHECKSUM_CHARACTERS }, (_, place) =>
    Number((check >> BigInt(35 - 5 * place)) & 31n),
  );
  return `${prefix}:${[...payload, ...tail].map((value) => ALPHABET[value]).join('')}`;
}

/** Undefined for every text that is no address with this prefix; the prefix itself may be left out, as wallets do. */
export function decodeCashAddress(text: string, prefix: string): CashAddress | undefined {
  // All small or all capital, as QR codes have it; never mixed.
  if (text !== text.toLowerCase() && text !== text.toUpperCase()) return undefined;
  const small = text.toLowerCase();
  const characters = small.startsWith(`${prefix}:`) ? small.slice(prefix.length + 1) : small;
  const values = [...characters].map((character) => ALPHABET.indexOf(character));
  if (values.includes(-1) || values.length <= CHECKSUM_CHARACTERS) return undefined;
  if (checksum([...prefixValues(prefix), ...values]) !== 0n) return undefined;
  const bytes = regroup(values.slice(0, -CHECKSUM_CHARACTERS), 5, 8, false);
  const version = bytes?.[0];
  if (bytes === undefined || version === undefined || version >= 0x80) return undefined;
  const hash = Uint8Array.from(bytes.slice(1));
  if (hash.length !== HASH_BYTES[version & 7]) return undefined;
  // Types 2 and 3 are 0 and 1 of who also takes tokens; plain coins go to the same script.
  const kind = (version >> 3) & 1 ? 'script' : 'key';
  if (version >> 3 > 3 || (kind === 'key' && hash.length !== 20)) return undefined;
  return { kind, hash };
}

/** Lower five bits of each letter, and a zero in place of the colon. */
function prefixValues(prefix: string): number[] {
  return [...[...prefix].map((letter) => letter.charCodeAt(0) & 31), 0];
}

/** The code's remainder; 0 for a sound address. */
function checksum(values: readonly number[]): bigint {
  let register = 1n;
  for (const value of values) {
    const leaving = register >> 35n;
    register = ((register & REGISTER) << 5n) ^ BigInt(value);
    TAPS.forEach((tap, bit) => {
      if ((leaving >> BigInt(bit)) & 1n) register ^= tap;
    });
  }
  return register ^ 1n;
}

/** The same bits in groups of another size. Without `padded` what is left over must be zeros of less than a group. */
function regroup(values: ArrayLike<number>, from: number, to: number, padded: boolean): number[] | undefined {
  const groups: number[] = [];
  let bits = 0;
  let held = 0;
  for (const value of Array.from(values)) {
    held = (held << from) | value;
    for (bits += from; bits >= to;) {
      bits -= to;
      groups.push(held >> bits);
      held &= (1 << bits) - 1;
    }
  }
  if (padded) return bits === 0 ? groups : [...groups, held << (to - bits)];
  return bits < from && held === 0 ? groups : undefined;
}
