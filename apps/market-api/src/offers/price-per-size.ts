const MIB = 1n << 20n;
/** Decimal places of a price per MiB. */
const PLACES = 3n;

/** Price of a MiB (2^20 bytes) as a decimal string with three places, rounded half up: "13.047". */
export function satPerMib(priceSat: bigint, pieceLengthBytes: number): string {
  const scale = 10n ** PLACES;
  const length = BigInt(pieceLengthBytes);
  const scaled = (2n * priceSat * MIB * scale + length) / (2n * length);
  return `${scaled / scale}.${(scaled % scale).toString().padStart(Number(PLACES), '0')}`;
}
