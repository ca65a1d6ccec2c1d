/** Bitcoin amounts as the RPC writes them (decimal bitcoin) against satoshi; integer arithmetic only. */

const SAT_DECIMALS = 8;
const DECIMAL = /^(-?)(\d{1,16})(?:\.(\d+))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * Satoshi of a decimal amount of bitcoin, e.g. `'20999999.97690000'`, `'1e-8'`.
 * Returns undefined if the text is no decimal number or is finer than a satoshi: nothing is rounded.
 */
export function satFromDecimal(text: string): bigint | undefined {
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign = '', whole = '0', fraction = '', exponentText = '0'] = match;
  const shift = SAT_DECIMALS - fraction.length + Number(exponentText);
  const digits = BigInt(whole + fraction);
  if (shift >= 0) return signed(sign, digits * 10n ** BigInt(shift));
  const divisor = 10n ** BigInt(-shift);
  return digits % divisor === 0n ? signed(sign, digits / divisor) : undefined;
}

/** Satoshi as decimal bitcoin with eight places, the form every node accepts as an amount when sent as a string. */
export function decimalFromSat(amountSat: bigint): string {
  const sign = amountSat < 0n ? '-' : '';
  const digits = (amountSat < 0n ? -amountSat : amountSat).toString().padStart(SAT_DECIMALS + 1, '0');
  return `${sign}${digits.slice(0, -SAT_DECIMALS)}.${digits.slice(-SAT_DECIMALS)}`;
}

const signed = (sign: string, value: bigint): bigint => (sign === '-' ? -value : value);
