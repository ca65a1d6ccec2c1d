import { expect, it } from 'vitest';
import { scriptOfAddress } from '@seedfleet/wallet';
import { channelServiceConfig } from '../config.js';
import { destinationOf, isFault } from './destination.js';

/** Of a seed of 32 bytes 05, at m/84'/1'/0'. */
const key =
  'tpubDC5NKh8dwvxTyBbzKFJkdmKUrzJ25t3N6hnfATunrw8YWWYaaxdHKZm3fjqxoQ5xrrss5NTCC1T2cDaF1aZfpqimVJY3UNwT1dEGq5bypWo';
const privateKey =
  'tprv8fPLBH6PoZGo5iaCRbeAEMfNHxn5vYrTXQBsswsVSfL9g2HoxZoh959BVcfFuLPoXqUKH7bKWo3waXXXMjUEhWoY4ejGXrHZhUtKZEZ11UX';
const descriptor = `wpkh(${key}/0/*)`;
const none = { TREASURY_FIRST_INDEX: 0 };

it('gives an account an address for each sweep, from the first that is free, and no other', () => {
  const found = destinationOf({ TREASURY_XPUB: descriptor, TREASURY_FIRST_INDEX: 7 }, 'regtest');
  if (found === null || isFault(found)) throw new Error('not read');
  for (const index of [null, 6, -1, 7.5, 1_000_000]) {
    expect([found.address(index), found.script(index)]).toEqual([undefined, undefined]);
  }
  expect(found.script(8)).toEqual(scriptOfAddress(found.address(8) ?? '', 'regtest'));
  expect(found.address(8)).not.toBe(found.address(7));
  expect(found.label).not.toContain(key);
});

it('is one of the two, and never a private key', () => {
  const address = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
  expect(destinationOf(none, 'regtest')).toBeNull();
  expect(destinationOf({ ...none, TREASURY_ADDRESS: address }, 'regtest')).toMatchObject({ label: address });
  const wrong = (config: object) => {
    const parsed = channelServiceConfig.safeParse({
      SEEDFLEET_NETWORK: 'regtest',
      NATS_URL: 'nats://127.0.0.1',
      DATABASE_URL: 'postgres://127.0.0.1/x',
      REDIS_URL: 'redis://127.0.0.1',
      SEED_FILE: 'a',
      SEED_KEY_FILE: 'b',
      ...config,
    });
    return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
  expect(wrong({ TREASURY_XPUB: descriptor })).toEqual([]);
  expect(wrong({ TREASURY_XPUB: descriptor, TREASURY_ADDRESS: address })).toEqual([
    expect.stringMatching(/^TREASURY_XPUB: .*one of them/),
  ]);
  const told = wrong({ TREASURY_XPUB: privateKey });
  expect(told).toEqual([expect.stringMatching(/^TREASURY_XPUB: a private key/)]);
  expect(told.join()).not.toContain(privateKey);
  expect(wrong({ TREASURY_XPUB: descriptor, SEEDFLEET_NETWORK: 'mainnet' })).toEqual([
    'TREASURY_XPUB: a key of another network',
  ]);
});
