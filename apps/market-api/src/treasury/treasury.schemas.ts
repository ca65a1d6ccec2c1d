import { z } from 'zod';
import { satoshiText, timeText } from '../http/schemas.js';

export const sweepBody = z.strictObject({
  dryRun: z.boolean().default(false).meta({ description: 'only say what would be swept' }),
});
export type SweepBody = z.output<typeof sweepBody>;

export const treasurySchema = z.object({
  destination: z
    .string()
    .nullable()
    .meta({ description: "the operator's own address, or the name of their account; null: nothing is swept" }),
  destinationSince: timeText.nullable(),
  nextAddress: z.string().nullable().meta({ description: 'where the next sweep goes' }),
  hotSat: satoshiText.meta({ description: 'on payout keys now' }),
  spareSat: satoshiText.meta({ description: 'of that, final and free' }),
  spareCoins: z.int(),
  keptCoins: z.int().meta({ description: 'of those, kept back for children' }),
  sweptSat: satoshiText,
  feesSat: satoshiText.meta({ description: 'of children, sweeps and splits' }),
  next: z.object({ kind: z.string(), why: z.string() }),
  transactions: z.array(
    z.object({
      txid: z.string(),
      kind: z.string(),
      state: z.string(),
      reason: z.string(),
      inputSat: satoshiText,
      feeSat: satoshiText,
      confirmations: z.int(),
      madeAt: timeText,
    }),
  ),
});
export type TreasuryView = z.output<typeof treasurySchema>;

export const sweepSchema = z.object({
  kind: z.string(),
  why: z.string(),
  destination: z.string().nullable(),
  inputs: z.int(),
  inputSat: satoshiText,
  feeSat: satoshiText,
  txid: z.string().nullable().meta({ description: 'null in a dry run, and where nothing is swept' }),
});
export type SweepView = z.output<typeof sweepSchema>;
