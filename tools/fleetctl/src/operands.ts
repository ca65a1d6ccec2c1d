import { Failure } from './failure.js';

/** The only operand of a command, or none where `count` is 0. Throws a usage failure otherwise. */
export function operand(operands: readonly string[], count: 0 | 1, what = ''): string {
  const [only] = operands;
  if (operands.length > count) throw new Failure('usage', `unexpected: ${operands[count] ?? ''}`);
  if (count === 1 && (only === undefined || only === '')) throw new Failure('usage', `which? give ${what}`);
  return only ?? '';
}
