import { NEUTRAL_PER_MILLE, type PriceMode, type PriceRule } from '@seedfleet/policy';
import { z } from 'zod';

/** How rules of price travel: rates as decimal satoshi with up to three places, multipliers too. */

export const PRICE_MODES = ['piece', 'mib', 'formula'] as const satisfies readonly PriceMode[];

const MILLI = 1000n;
const rateText = z
  .string()
  .regex(/^(0|[1-9]\d{0,12})(\.\d{1,3})?$/, 'must be a number with up to three decimal places')
  .refine((text) => /[1-9]/.test(text), 'must be more than 0');

/** "2.5" is 2500. */
export function milliOf(text: string): bigint {
  const [whole = '0', places = ''] = text.split('.');
  return BigInt(whole) * MILLI + BigInt(places.padEnd(3, '0'));
}

/** 2500 is "2.5". */
export function textOfMilli(value: bigint): string {
  const places = (value % MILLI).toString().padStart(3, '0').replace(/0+$/, '');
  return places === '' ? (value / MILLI).toString() : `${value / MILLI}.${places}`;
}

export const priceRuleBody = z
  .strictObject({
    mode: z.enum(PRICE_MODES).meta({
      description: 'piece: per piece; mib: per MiB; formula: the formula of default clients at this rate per MB',
    }),
    rate: rateText.meta({ description: 'satoshi, up to three decimal places; default clients accept formula at 2' }),
  })
  .meta({ description: 'a rule that the price of a piece follows from, times the multiplier of the torrent’s tier' });

export const priceRuleSchema = z.object({
  mode: z.enum(PRICE_MODES),
  rate: z.string(),
  tier: z.string().nullable(),
  multiplier: z.string().meta({ description: 'of the tier at that time' }),
});

export function ruleOf({ mode, rate }: z.output<typeof priceRuleBody>): PriceRule {
  return { mode, rateMilliSat: milliOf(rate) };
}

/** Where an offer's price came from, as it is stored; all null where it was given or is the default. */
export interface PriceOrigin {
  readonly priceMode: string | null;
  readonly rateMilliSat: bigint | null;
  readonly tier: string | null;
  readonly multiplierPerMille: number | null;
}

export function ruleOfOrigin({ priceMode, rateMilliSat }: PriceOrigin): PriceRule | null {
  const mode = PRICE_MODES.find((known) => known === priceMode);
  return mode === undefined || rateMilliSat === null ? null : { mode, rateMilliSat };
}

export function originView(origin: PriceOrigin): z.output<typeof priceRuleSchema> | null {
  const rule = ruleOfOrigin(origin);
  if (rule === null) return null;
  return {
    mode: rule.mode,
    rate: textOfMilli(rule.rateMilliSat),
    tier: origin.tier,
    multiplier: textOfMilli(BigInt(origin.multiplierPerMille ?? NEUTRAL_PER_MILLE)),
  };
}
