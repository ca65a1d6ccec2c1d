import { readFileSync } from 'node:fs';
import { channelKeychain, openSeed, type ChannelKeychain } from '@seedfleet/wallet';
import type { World } from './world.js';

/** The seller's keys, from the seed and passphrase files of the fleet under proof. */
export function sellerKeys(world: World): ChannelKeychain {
  const { state } = world.fleet;
  const secret = readFileSync(state.file('services', 'channel-settler', 'seed.key'), 'utf8').trim();
  const text = readFileSync(state.file('services', 'channel-settler', 'seed.json'), 'utf8');
  const opened = openSeed(text, secret);
  if (!opened.ok) throw new Error(`the seed can't be opened: ${opened.code}`);
  return channelKeychain(opened.seed, 'regtest');
}
