import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerAccount, brokerUser, SERVICE_CREDENTIALS, type Holder } from '@seedfleet/bus';
import { makeCertificates } from './certificates.js';

/** What to make credentials for. */
export interface CredentialPlan {
  /** Folder of the files: one for each secret, readable by its owner only. */
  readonly folder: string;
  readonly fleetId: string;
  /** HOST:PORT of the broker. */
  readonly nats: string;
  /** HOST:PORT/DATABASE of Postgres. */
  readonly postgres: string;
  /** HOST:PORT of Redis. */
  readonly redis: string;
  /** HOST:PORT of the Bitcoin node. */
  readonly bitcoin: string;
  /** The tower's own servers; default: as the containers name them. */
  readonly tower?: { readonly postgres: string; readonly bitcoin: string };
  /** Whether the servers get certificates of an authority of the fleet's own. */
  readonly tls?: boolean;
  /** Ids of all nodes: one that is left out loses its credential. */
  readonly nodes: readonly string[];
}

export interface CredentialChanges {
  /** Names of the files that were written anew. */
  readonly made: readonly string[];
  /** Nodes whose credential is gone: the broker lets them in until it has read its configuration again. */
  readonly revoked: readonly string[];
}

const ROLE_OF: Readonly<Record<string, 'chain' | 'channel' | 'market'>> = {
  'chain-watcher': 'chain',
  'channel-intake': 'channel',
  'channel-settler': 'channel',
  'market-api': 'market',
};
const TOWER_SERVERS = { postgres: 'tower-postgres:5432/seedfleet', bitcoin: 'tower-bitcoin:18443' };
const SUFFIX = '.nats-url';
const ACCOUNT = 'nats-account.conf';

/**
 * Writes every secret of a fleet: the broker's users with their rights, and for each process the URLs with its own
 * passwords. What exists stays as it is, so that a node can be added, or one taken out, without touching the others.
 */
export function writeCredentials(plan: CredentialPlan): CredentialChanges {
  mkdirSync(plan.folder, { recursive: true, mode: 0o700 });
  const made: string[] = [];
  const secret = (name: string): string => keep(plan.folder, name, () => randomBytes(24).toString('hex'), made);

  const holders: [string, Holder][] = [
    ...Object.entries(SERVICE_CREDENTIALS),
    ...plan.nodes.map((nodeId): [string, Holder] => [nodeId, { service: 'swarm-node', nodeId }]),
  ];
  const credentials = holders.map(([name, holder]) => {
    const user = brokerUser(plan.fleetId, name, holder);
    const file = `${name}${SUFFIX}`;
    const make = () => `nats://${user}:${randomBytes(24).toString('hex')}@${plan.nats}`;
    return { name, holder, password: new URL(keep(plan.folder, file, make, made)).password };
  });
  const admin = { user: 'seedfleet', password: secret('nats-admin.password') };
  replace(plan.folder, ACCOUNT, brokerAccount(plan.fleetId, credentials, admin));

  const [postgres = '', database = ''] = plan.postgres.split('/');
  const owner = secret('postgres-owner.password');
  const passwords = Object.fromEntries(
    [...new Set(Object.values(ROLE_OF))].map((role) => [role, secret(`postgres-${role}.password`)]),
  );
  replace(plan.folder, 'role-passwords.json', JSON.stringify(passwords));
  replace(plan.folder, 'owner.database-url', `postgresql://seedfleet:${owner}@${postgres}/${database}`);
  for (const [name, role] of Object.entries(ROLE_OF)) {
    const url = `postgresql://${database}_${role}:${passwords[role]}@${postgres}/${database}`;
    replace(plan.folder, `${name}.database-url`, url);
  }

  const redis = secret('redis.password');
  replace(plan.folder, 'redis-url', `${plan.tls ? 'rediss' : 'redis'}://:${redis}@${plan.redis}`);
  replace(plan.folder, 'redis.conf', `requirepass ${redis}\nmaxmemory-policy noeviction\nappendonly yes\n`);
  secret('seed-key');
  secret('grafana.password');

  // A Bitcoin node of one's own may have another user: then its URL is put there by hand, and kept.
  const bitcoin = secret('bitcoin-rpc.password');
  keep(plan.folder, 'bitcoin-rpc-url', () => `http://seedfleet:${bitcoin}@${plan.bitcoin}`, made);
  replace(plan.folder, 'bitcoin.conf', `rpcuser=seedfleet\nrpcpassword=${bitcoin}\n`);
  // The tower is elsewhere, with servers of its own.
  const tower = secret('tower-postgres.password');
  const { postgres: towerPostgres, bitcoin: towerBitcoin } = plan.tower ?? TOWER_SERVERS;
  replace(plan.folder, 'tower.database-url', `postgresql://seedfleet:${tower}@${towerPostgres}`);
  const towerRpc = secret('tower-bitcoin-rpc.password');
  keep(plan.folder, 'tower.bitcoin-rpc-url', () => `http://seedfleet:${towerRpc}@${towerBitcoin}`, made);
  replace(plan.folder, 'tower-bitcoin.conf', `rpcuser=seedfleet\nrpcpassword=${towerRpc}\n`);
  if (plan.tls) {
    const hosts = { nats: plan.nats, postgres, redis: plan.redis };
    const file = (name: string): string => join(plan.folder, name);
    made.push(...makeCertificates(file, hosts));
  }
  return {
    made,
    revoked: revoke(
      plan,
      holders.map(([name]) => name),
    ),
  };
}

/**
 * Gives one process another password at the broker: its file and the broker's users are written anew. Undefined where the
 * folder has no such credential.
 */
export function rotateCredential(folder: string, name: string): { readonly user: string } | undefined {
  const urls = readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file): [string, URL] => [
      file.slice(0, -SUFFIX.length),
      new URL(readFileSync(join(folder, file), 'utf8').trim()),
    ]);
  const old = urls.find(([each]) => each === name)?.[1];
  if (old === undefined) return undefined;
  old.password = randomBytes(24).toString('hex');
  const [fleetId = ''] = old.username.split('.');
  const credentials = urls.map(([each, { password }]) => {
    const holder: Holder = SERVICE_CREDENTIALS[each] ?? { service: 'swarm-node', nodeId: each };
    return { name: each, holder, password };
  });
  const admin = { user: 'seedfleet', password: readFileSync(join(folder, 'nats-admin.password'), 'utf8').trim() };
  // The process's file first: it reads it when the broker, told of the other, has cut it off.
  replace(folder, `${name}${SUFFIX}`, old.href);
  replace(folder, ACCOUNT, brokerAccount(fleetId, credentials, admin));
  return { user: old.username };
}

function revoke({ folder }: CredentialPlan, names: readonly string[]): string[] {
  const gone = readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .filter((name) => !names.includes(name));
  for (const name of gone) rmSync(join(folder, `${name}${SUFFIX}`));
  return gone;
}

/** What a file holds, which is made when there is none. */
function keep(folder: string, name: string, make: () => string, made: string[]): string {
  const path = join(folder, name);
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const text = make();
  replace(folder, name, text);
  made.push(name);
  return text;
}

function replace(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
