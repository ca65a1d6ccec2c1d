import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { manualPage } from './manual.js';

it('is what docs/man holds: write it anew with `node apps/leecher/bin/manual.mjs > docs/man/leecher.1`', () => {
  expect(readFileSync(new URL('../../../../docs/man/leecher.1', import.meta.url), 'utf8')).toBe(manualPage());
});
