import { expect, it } from 'vitest';
import { configurationReference } from './configuration.js';
import { staleReferences } from './references.js';

it('are up to date: otherwise run `npm run references`', async () => {
  expect(await staleReferences()).toEqual([]);
});

it('tell of a variable what its schema says', () => {
  const text = configurationReference();
  expect(text).toContain('| `SEEDFLEET_NETWORK` | `mainnet`, `testnet3`, `regtest`');
  expect(text).toMatch(/\| `PIECE_MEMORY_MIB` \| whole number \| `256` \| Memory for pieces/);
  expect(text).toMatch(/\| `ROLE` \| `intake`, `settler`, `all` \| `all` \|/);
  // Of a fragment that several services share.
  expect(text.match(/\| `DATABASE_URL` \| URL \| \*\*needed\*\* \|/g)).toHaveLength(3);
});
