/**
 * The checksum of an output descriptor (BIP 380): eight characters after a `#`, which find up to four mistakes. Undefined where
 * the text has characters that no descriptor has.
 */
export function descriptorChecksum(text: string): string | undefined {
  let check = 1n;
  let group = 0;
  let groupSize = 0;
  for (const character of text) {
    const place = CHARACTERS.indexOf(character);
    if (place < 0) return undefined;
    check = step(check, BigInt(place & 31));
    group = group * 3 + (place >> 5);
    groupSize += 1;
    if (groupSize < 3) continue;
    check = step(check, BigInt(group));
    group = 0;
    groupSize = 0;
  }
  if (groupSize > 0) check = step(check, BigInt(group));
  for (let count = 0; count < LENGTH; count += 1) check = step(check, 0n);
  check ^= 1n;
  let made = '';
  for (let place = LENGTH - 1; place >= 0; place -= 1)
    made += ALPHABET[Number((check >> BigInt(5 * place)) & 31n)] ?? '';
  return made;
}

const LENGTH = 8;
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
/** In three groups of 32: what is written often is in the first. */
const CHARACTERS =
  "0123456789()[],'/*abcdefgh@:$%{}" + 'IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~' + 'ijklmnopqrstuvwxyzABCDEFGH`#"\\ ';
/** Taps of the register, one for each bit of the five that leave it. */
const TAPS = [0xf5dee51989n, 0xa9fdca3312n, 0x1bab10e32dn, 0x3706b1677an, 0x644d626ffdn];

function step(check: bigint, value: bigint): bigint {
  const top = check >> 35n;
  const shifted = ((check & 0x7ffffffffn) << 5n) ^ value;
  return TAPS.reduce((sum, tap, bit) => ((top >> BigInt(bit)) & 1n ? sum ^ tap : sum), shifted);
}
