import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('is what the README of the buyer library shows', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
  expect(read('../../../../libs/buyer/README.md')).toContain(read('./example.ts'));
});
