import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerAccount, brokerUser, SERVICE_CREDENTIALS, type Credential, type Holder } from '@seedfleet/bus';
import { MAX_NODES } from '../start/max-nodes.js';
import { writeAtomically, type StateDir } from '../state/state-dir.js';

/** May do everything in the fleet's account: tools and tests use it, no service does. */
const ADMIN = 'seedfleet';

/** The administrator's URL on a server of our own. */
export function adminUrl(state: StateDir, port: number): string {
  return `nats://${ADMIN}:${state.known.secrets.nats}@127.0.0.1:${port}`;
}

/** The account of this fleet for a server of our own, with a user for each service and for every node it may have. */
export function fleetAccount(state: StateDir): string {
  const holders = [...Object.entries(SERVICE_CREDENTIALS), ...nodeIds().map((id) => [id, nodeHolder(id)] as const)];
  const credentials = holders.map(([name, holder]): Credential => ({
    name,
    holder,
    password: passwordOf(state, name),
  }));
  return brokerAccount(state.id, credentials, { user: ADMIN, password: state.known.secrets.nats });
}

/**
 * How one service reaches the broker: with a credential of its own where the broker is ours, else as the environment
 * says.
 */
export function natsUrlFor(natsUrl: string, state: StateDir, name: string): string {
  const url = new URL(natsUrl);
  if (url.username !== ADMIN || url.password !== state.known.secrets.nats) return natsUrl;
  const holder = SERVICE_CREDENTIALS[name] ?? nodeHolder(name);
  url.username = brokerUser(state.id, name, holder);
  url.password = passwordOf(state, name);
  return url.href;
}

/** Every credential that a fleet on one machine may have. */
export function credentialNames(): readonly string[] {
  return [...Object.keys(SERVICE_CREDENTIALS), ...nodeIds()];
}

/**
 * The variable from which a service takes its way to the broker. A credential of ours stands in a file, which the service
 * reads again at each connection: so it can be changed while both run.
 */
export function natsEnvironment(natsUrl: string, state: StateDir, name: string): Readonly<Record<string, string>> {
  const url = natsUrlFor(natsUrl, state, name);
  return url === natsUrl ? { NATS_URL: url } : { NATS_URL_FILE: writeCredential(natsUrl, state, name) };
}

/** Writes the file of a credential as it is now; returns its path. */
export function writeCredential(natsUrl: string, state: StateDir, name: string): string {
  const path = join(state.folder(FOLDER), `${name}.nats-url`);
  writeAtomically(path, `${natsUrlFor(natsUrl, state, name)}\n`);
  return path;
}

/** Gives a credential its next password. The broker and the file have to be told. */
export function renewPassword(state: StateDir, name: string): void {
  const renewals = { ...renewalsOf(state), [name]: (renewalsOf(state)[name] ?? 0) + 1 };
  state.folder(FOLDER);
  writeAtomically(state.file(FOLDER, RENEWALS), `${JSON.stringify(renewals)}\n`);
}

const FOLDER = 'credentials';
const RENEWALS = 'renewals.json';

/** How often each credential was changed. Read each time: another process than the fleet's changes them. */
function renewalsOf(state: StateDir): Readonly<Record<string, number>> {
  try {
    return JSON.parse(readFileSync(state.file(FOLDER, RENEWALS), 'utf8')) as Record<string, number>;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw thrown;
  }
}

const nodeIds = (): string[] => Array.from({ length: MAX_NODES }, (_, index) => `node-${index + 1}`);

const nodeHolder = (nodeId: string): Holder => ({ service: 'swarm-node', nodeId });

/** Made from the fleet's secret, so a second start finds the same. */
function passwordOf(state: StateDir, name: string): string {
  const renewals = renewalsOf(state)[name] ?? 0;
  const label = renewals === 0 ? `nats ${name}` : `nats ${name} ${renewals}`;
  return createHmac('sha256', state.known.secrets.nats).update(label).digest('hex');
}
