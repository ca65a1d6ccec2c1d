import { z } from 'zod';

/** One kind, as `channel.settled`, or all of a family, as `channel.*`. */
export const kindPattern = z
  .string()
  .max(60)
  .regex(/^[a-z][a-z-]*\.(\*|[a-z][a-z-]*)$/, 'must be a kind as channel.settled, or channel.*');

export const kindPatterns = z.array(kindPattern).max(40);

/** Whether a kind is among the patterns; no patterns mean all. */
export function kindFilter(patterns: readonly string[]): (kind: string) => boolean {
  const wanted = new Set(patterns);
  return (kind) => wanted.size === 0 || wanted.has(kind) || wanted.has(`${kind.split('.', 1)[0]}.*`);
}
