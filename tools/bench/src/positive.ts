/**
 * A whole number of 1 or more on a command line.
 * @throws RangeError for anything else
 */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(text);
  return value;
}
