import type { Ecdsa } from '@seedfleet/payment-channel';
import type { Policy } from '@seedfleet/policy';
import { Gauge, type ServiceParts } from '@seedfleet/service-kit';
import { seedId } from '@seedfleet/wallet';
import type { Database } from '../channels/database.js';
import { checkedDestination, type ChannelServiceConfig } from '../config.js';
import { knownSeedId, renewEpoch } from './key-epoch.js';
import { identityOf, RemoteSigner, type PresenceHook } from './remote-signer.js';
import { openOrCreateSeed, SeedError } from './seed-store.js';
import { rulesOf } from './signer-rules.js';
import { SeedSigner, type Signer } from './signer.js';

/** What a signer is opened from. */
export interface SignerParts extends Pick<
  ServiceParts<ChannelServiceConfig>,
  'config' | 'bus' | 'logger' | 'registry'
> {
  readonly database: Database;
  readonly ecdsa: Ecdsa;
  readonly policy: Policy;
}

interface Opened {
  readonly signer: Signer;
  readonly id: string;
}

/**
 * The settler's signer, held against the database: its seed opened here, or created on the first start, or with another
 * process, which is asked for its name. A database that was restored gets a new key epoch first.
 */
export async function openSigner(parts: SignerParts): Promise<Signer> {
  const { config, database } = parts;
  const known = await knownSeedId(database);
  const { signer, id } = config.SIGNER === 'remote' ? await remote(parts, known) : local(parts, known);
  await renewEpoch(database, id);
  const begun = await knownSeedId(database);
  if (begun !== id) {
    throw new SeedError('seed-mismatch', `another settler has begun with seed ${begun}; this one's signer holds ${id}`);
  }
  return signer;
}

function local({ config, ecdsa, policy }: SignerParts, known: string | null): Opened {
  const { SEED_FILE: seedFile, SEED_KEY_FILE: keyFile, SEEDFLEET_NETWORK: network } = config;
  if (seedFile === undefined || keyFile === undefined) throw new Error('the configuration checks that both are set');
  const seed = openOrCreateSeed({ seedFile, keyFile }, known);
  return {
    signer: new SeedSigner(seed, network, ecdsa, rulesOf(policy, checkedDestination(config))),
    id: seedId(seed),
  };
}

/**
 * A settler goes on without its signer, as far as it can, once the database knows a seed: then only the keys of that seed are
 * taken. Its first start needs the signer.
 */
async function remote({ config, bus, logger, registry }: SignerParts, known: string | null): Promise<Opened> {
  const identity = await identityOf(bus);
  const id = identity?.seedId ?? known;
  if (id === null)
    throw new SeedError('signer-unreachable', 'the signer does not answer, and the database knows no seed');
  if (known !== null && id !== known) {
    throw new SeedError(
      'seed-mismatch',
      `the signer holds seed ${id}, but the database's channels belong to seed ${known}`,
    );
  }
  if (identity === null) logger.warn('the signer does not answer: nothing is signed until it does');
  else if (identity.network !== config.SEEDFLEET_NETWORK) {
    throw new SeedError(
      'seed-mismatch',
      `the signer is of ${identity.network}, this settler of ${config.SEEDFLEET_NETWORK}`,
    );
  } else if (checkedDestination(config) !== null && !identity.hasDestination) {
    logger.warn('a wallet to sweep to is named here and not with the signer, which signs no sweep');
  }
  return { signer: new RemoteSigner(bus, id, presence({ logger, registry }, identity !== null)), id };
}

/** Shows whether the signer answers. One line per outage. */
function presence({ logger, registry }: Pick<SignerParts, 'logger' | 'registry'>, isThere: boolean): PresenceHook {
  const answers = new Gauge({
    name: 'seedfleet_signer_reachable',
    help: '1 while the signer in another process answers the settler, else 0',
    registers: [registry],
  });
  let was = isThere;
  answers.set(was ? 1 : 0);
  return (why) => {
    const is = why === null;
    if (is !== was) logger[is ? 'info' : 'error']({ why }, is ? 'the signer answers' : 'the signer does not answer');
    was = is;
    answers.set(is ? 1 : 0);
  };
}
