import * as chain from './chain.js';
import * as channels from './channels.js';
import type { AnyContract, Service } from './contract.js';
import * as fleet from './fleet.js';
import * as orders from './orders.js';
import * as signer from './signer.js';
import * as treasury from './treasury.js';
import { PARKED } from './parking.js';

/**
 * What the broker lets each credential do, derived from the contracts: who owns a subject, who asks, hears and reads.
 * A stolen credential of a node reaches that node's own subjects and replies, and no stream but by publishing its
 * payments; nobody can delete a stream.
 */

/** Every contract of the bus. */
export const CONTRACTS: readonly AnyContract[] = [chain, channels, fleet, orders, signer, treasury]
  .flatMap(contractsIn)
  .concat(PARKED);

function contractsIn(module: Readonly<Record<string, unknown>>): AnyContract[] {
  return Object.values(module).filter(
    (value): value is AnyContract => typeof value === 'object' && value !== null && 'kind' in value,
  );
}

/** Subjects that a credential may publish to and subscribe to; everything else is refused. */
export interface BrokerPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** Whom a credential is for. A node's is for that node alone, an intake's is not for what only the settler may ask. */
export type Holder =
  | { readonly service: Exclude<Service, 'swarm-node'>; readonly role?: 'intake' }
  | { readonly service: 'swarm-node'; readonly nodeId: string };

/** First token of a user's own reply subjects: nobody else may listen there. */
export function inboxPrefix(user: string): string {
  return user === '' ? '_INBOX' : `_INBOX.${user}`;
}

/** @param user the credential's name, from which its reply subjects follow */
export function permissionsOf(fleetId: string, user: string, holder: Holder): BrokerPermissions {
  const { service } = holder;
  const publish = new Set<string>();
  const subscribe = new Set<string>([`${inboxPrefix(user)}.>`]);
  for (const contract of CONTRACTS) {
    const own = contract.owner === service;
    switch (contract.kind) {
      case 'request':
        if (own) subscribe.add(`${fleetId}.${contract.subject}`);
        if (contract.askedBy.includes(service) && mayAsk(contract, holder)) {
          publish.add(subjectFor(fleetId, contract, holder));
        }
        break;
      case 'event':
        if (own) publish.add(subjectFor(fleetId, contract, holder));
        if (contract.heardBy.includes(service)) subscribe.add(subjectFor(fleetId, contract, holder));
        break;
      case 'stream':
        if (contract === PARKED) publish.add(`${fleetId}.${contract.subject.replace('*', service)}`);
        else if (own) publish.add(subjectFor(fleetId, contract, holder));
        // A node looks on how many servers its payments are kept, and may do nothing else with the stream.
        if (service === 'swarm-node' && own) publish.add(`$JS.API.STREAM.INFO.${fleetId}-${contract.stream}`);
        if (service !== 'swarm-node' && (own || contract.readBy.includes(service))) {
          for (const api of streamApi(`${fleetId}-${contract.stream}`)) publish.add(api);
        }
    }
  }
  return { publish: [...publish].sort(), subscribe: [...subscribe].sort() };
}

function mayAsk({ settlerOnly }: Extract<AnyContract, { kind: 'request' }>, holder: Holder): boolean {
  return settlerOnly !== true || holder.service === 'swarm-node' || holder.role !== 'intake';
}

/** The contract's subject as this holder may use it: where a node's id stands, its own. */
function subjectFor(fleetId: string, contract: AnyContract, holder: Holder): string {
  const keyed = contract.fromNode === true || (contract.kind === 'event' && contract.toNode === true);
  const subject = `${fleetId}.${contract.subject}`;
  return keyed && holder.service === 'swarm-node' ? subject.replace(/\*$/, holder.nodeId) : subject;
}

/** What makes, measures and consumes one stream; not what deletes or empties it. */
function streamApi(stream: string): string[] {
  return [
    '$JS.API.INFO',
    ...['INFO', 'CREATE', 'UPDATE'].map((verb) => `$JS.API.STREAM.${verb}.${stream}`),
    ...['CREATE', 'DURABLE.CREATE', 'INFO', 'DELETE', 'MSG.NEXT'].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.>`),
    `$JS.ACK.${stream}.>`,
  ];
}
