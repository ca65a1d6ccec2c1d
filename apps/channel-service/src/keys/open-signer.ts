import type { Ecdsa } from '@seedfleet/payment-channel';
import { seedId } from '@seedfleet/wallet';
import type { Database } from '../channels/database.js';
import type { Policy } from '@seedfleet/policy';
import { checkedDestination, type ChannelServiceConfig } from '../config.js';
import { knownSeedId, renewEpoch } from './key-epoch.js';
import { openOrCreateSeed, SeedError } from './seed-store.js';
import { SeedSigner, type Signer } from './signer.js';

/**
 * The settler's signer: its seed opened, or created on the first start, and held against the database. A database that
 * was restored gets a new key epoch first.
 */
export async function openSigner(
  config: ChannelServiceConfig,
  database: Database,
  ecdsa: Ecdsa,
  policy: Policy,
): Promise<Signer> {
  const { SEED_FILE: seedFile, SEED_KEY_FILE: keyFile, SEEDFLEET_NETWORK: network } = config;
  if (seedFile === undefined || keyFile === undefined) throw new Error('the configuration checks that both are set');
  const known = await knownSeedId(database);
  const seed = openOrCreateSeed({ seedFile, keyFile }, known);
  const id = seedId(seed);
  await renewEpoch(database, id);
  const begun = await knownSeedId(database);
  if (begun !== id) {
    throw new SeedError('seed-mismatch', `another settler has begun with seed ${begun}; SEED_FILE holds ${id}`);
  }
  return new SeedSigner(seed, network, ecdsa, {
    childFeePercent: policy.child.lastBudgetPercent,
    treasuryFeePercent: policy.treasury.maxFeePercent,
    destination: checkedDestination(config),
  });
}
