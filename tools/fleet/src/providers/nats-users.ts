import { createHmac } from 'node:crypto';
import { brokerAccount, brokerUser, SERVICE_CREDENTIALS, type Credential, type Holder } from '@seedfleet/bus';
import { MAX_NODES } from '../start/max-nodes.js';
import type { StateDir } from '../state/state-dir.js';

/** May do everything in the fleet's account: tools and tests use it, no service does. */
const ADMIN = 'seedfleet';

/** The administrator's URL on a server of our own. */
export function adminUrl(state: StateDir, port: number): string {
  return `nats://${ADMIN}:${state.known.secrets.nats}@127.0.0.1:${port}`;
}

/** The account of this fleet for a server of our own, with a user for each service and for every node it may have. */
export function fleetAccount(state: StateDir): string {
  const nodes = Array.from({ length: MAX_NODES }, (_, index) => `node-${index + 1}`);
  const holders = [...Object.entries(SERVICE_CREDENTIALS), ...nodes.map((id) => [id, nodeHolder(id)] as const)];
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

const nodeHolder = (nodeId: string): Holder => ({ service: 'swarm-node', nodeId });

/** Made from the fleet's secret, so a second start finds the same. */
function passwordOf(state: StateDir, name: string): string {
  return createHmac('sha256', state.known.secrets.nats).update(`nats ${name}`).digest('hex');
}
