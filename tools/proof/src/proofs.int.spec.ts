import { expect, it } from 'vitest';
import { runProof } from './cli.js';
import { PROOFS } from './proofs.js';

it.each(Object.keys(PROOFS))('%s, in its short form', async (name) => {
  const lines: string[] = [];
  const { passed, failed } = await runProof(name, { short: true, keep: false, print: (line) => lines.push(line) });
  expect(failed, lines.join('\n')).toBe(0);
  expect(passed, lines.join('\n')).toBeGreaterThan(0);
});
