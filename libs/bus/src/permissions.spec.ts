import { describe, expect, it } from 'vitest';
import * as bus from './index.js';
import { brokerAccount, CONTRACTS, permissionsOf, SERVICE_CREDENTIALS, type AnyContract } from './index.js';

const node = (nodeId: string) =>
  permissionsOf('fleet', `fleet.swarm-node.${nodeId}`, { service: 'swarm-node', nodeId });

describe('what a credential lets its holder do', () => {
  it('is derived from every contract of the bus', () => {
    const exported = Object.values(bus).filter(
      (value: unknown): value is AnyContract =>
        typeof value === 'object' && value !== null && 'kind' in value && 'subject' in value,
    );
    expect(exported.length).toBeGreaterThan(10);
    expect(new Set(CONTRACTS)).toEqual(new Set(exported));
  });

  it('lets a node use its own subjects, and no stream but by publishing its payments', () => {
    const { publish, subscribe } = node('node-1');
    expect(publish.filter((subject) => subject.startsWith('$JS'))).toEqual(['$JS.API.STREAM.INFO.fleet-PAYMENTS']);
    expect(publish).toContain('fleet.payments.*.node-1');
    expect(subscribe).toContain('fleet.channel.verdict.node-1');
    for (const subject of [...publish, ...subscribe]) {
      expect(subject).not.toMatch(/>$(?<!_INBOX\.fleet\.swarm-node\.node-1\.>)/);
      expect(subject).not.toMatch(/^fleet\.(channel\.(open|fund|verdict)|fleet\.(register|heartbeat))\.\*$/);
    }
  });

  it('is disjoint for the subjects that tell who a node is', () => {
    const others = new Set(node('node-2').publish);
    const shared = node('node-1').publish.filter((subject) => others.has(subject));
    // What is shared names no node in it.
    expect(shared).toEqual(['$JS.API.STREAM.INFO.fleet-PAYMENTS', 'fleet.fleet.metainfo', 'fleet.parked.swarm-node']);
  });

  it('lets the settler alone ask for signatures, and the signer do nothing but answer', () => {
    const allowed = (name: string) => {
      const holder = SERVICE_CREDENTIALS[name];
      if (holder === undefined) throw new Error(`no credential ${name}`);
      return permissionsOf('fleet', `fleet.${name}`, holder);
    };
    const asks = ({ publish }: { publish: readonly string[] }) => publish.filter((each) => each.includes('.signer.'));
    const signer = allowed('channel-signer');
    const answered = signer.subscribe.filter((subject) => subject.startsWith('fleet.'));
    expect(answered.length).toBeGreaterThan(4);
    expect(asks(allowed('channel-settler'))).toEqual(answered);
    for (const [name] of Object.entries(SERVICE_CREDENTIALS)) {
      if (name !== 'channel-settler')
        expect(asks(allowed(name)).filter((each) => !each.includes('parked'))).toEqual([]);
      // Nobody else hears what is asked either.
      if (name !== 'channel-signer') expect(allowed(name).subscribe.join()).not.toContain('signer.');
    }
    expect(signer.publish).toEqual(['fleet.parked.signer']);
  });

  it('lets nobody delete or empty a stream', () => {
    for (const service of ['chain-watcher', 'channel-service', 'market-api', 'signer', 'tower'] as const) {
      const { publish } = permissionsOf('fleet', `fleet.${service}`, { service });
      expect(publish.filter((subject) => /STREAM\.(DELETE|PURGE|MSG)|^\$JS\.API\.>|^>$/.test(subject))).toEqual([]);
    }
  });

  it('is written so that a name can not break out of it', () => {
    const credential = { name: 'x', holder: { service: 'market-api' }, password: 'a" } users: [' } as const;
    expect(() => brokerAccount('fleet', [credential], { user: 'admin', password: 'p' })).toThrow(RangeError);
  });
});
