import { Transaction } from 'bitcoinjs-lib';

/** The terms and the course of a channel, from which its settlement follows to the byte. */
export interface SettledChannel {
  readonly fundingTxid: string;
  readonly fundingVout: number;
  /** V. */
  readonly fundingValueSat: bigint;
  /** P. */
  readonly priceSat: bigint;
  /** F. */
  readonly settlementFeeSat: bigint;
  /** Payments made. */
  readonly k: bigint;
}

/** Value at and below which a settlement has no seller output (payment channel §5). */
const DUST_SAT = 546n;
const FINAL_SEQUENCE = 0xffffffff;

/** The value of one output of a raw transaction; undefined when there is no such output. */
export function outputValueSat(rawHex: string, vout: number): bigint | undefined {
  const value = Transaction.fromHex(rawHex).outs[vout]?.value;
  return value === undefined ? undefined : BigInt(value);
}

/**
 * Compares a mined settlement with what payment channel §5 prescribes for payment k: version 1, one final input that
 * spends the funding output, V − k·P to the buyer and, above dust, k·P − F to the seller. Returns what differs.
 */
export function settlementDifferences(rawHex: string, channel: SettledChannel): readonly string[] {
  const transaction = Transaction.fromHex(rawHex);
  const paidSat = channel.k * channel.priceSat;
  const paysSeller = paidSat > DUST_SAT + channel.settlementFeeSat;
  const expected = [channel.fundingValueSat - paidSat, ...(paysSeller ? [paidSat - channel.settlementFeeSat] : [])];
  const [input] = transaction.ins;
  const spends = input === undefined ? '' : `${Buffer.from(input.hash).reverse().toString('hex')}:${input.index}`;
  return [
    differs('version', transaction.version, 1),
    differs('lock time', transaction.locktime, 0),
    differs('number of inputs', transaction.ins.length, 1),
    differs('spent output', spends, `${channel.fundingTxid}:${channel.fundingVout}`),
    differs('sequence', input?.sequence, FINAL_SEQUENCE),
    differs('output values', transaction.outs.map(({ value }) => BigInt(value)).join(' + '), expected.join(' + ')),
  ].filter((difference) => difference !== undefined);
}

/** A difference in words; undefined when there is none. */
export function differs(what: string, found: unknown, expected: unknown): string | undefined {
  return found === expected ? undefined : `${what}: ${String(found)} instead of ${String(expected)}`;
}
