import { z } from 'zod';

/** A period of whole days, UTC; open ends reach as far as there are books. */

const DAY_MS = 24 * 3_600_000;

const dayText = z
  .string()
  .regex(/^20\d\d-\d\d-\d\d$/, 'must be a day, as 2026-01-31')
  .refine((text) => !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text), 'is no day');

/** Query parameters of every report. */
export const periodQuery = {
  from: dayText.optional().meta({ description: 'first day (UTC); absent: the first there is' }),
  to: dayText.optional().meta({ description: 'last day (UTC), included; absent: today' }),
};

export interface Period {
  readonly from: Date | undefined;
  /** Not in the period any more. */
  readonly end: Date | undefined;
}

/** Undefined where all time is meant. */
export function periodOf({ from, to }: { from?: string | undefined; to?: string | undefined }): Period | undefined {
  if (from === undefined && to === undefined) return undefined;
  return {
    from: from === undefined ? undefined : new Date(from),
    end: to === undefined ? undefined : new Date(Date.parse(to) + DAY_MS),
  };
}
