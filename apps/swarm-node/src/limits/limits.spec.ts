import { policyWith } from '@seedfleet/policy';
import { describe, expect, it } from 'vitest';
import { ConnectionLimits } from './connection-limits.js';
import { Exposure } from './exposure.js';
import { JoinPlaces } from './join-places.js';
import { originOf } from './origin.js';
import { SpeedTestBudget } from './speed-test-budget.js';

const stranger = originOf('198.51.100.7', false);
const neighbour = originOf('198.51.100.8', false);
const local = originOf('127.0.0.1', true);
const MIB = 1024 * 1024;

describe('originOf', () => {
  it.each([
    ['198.51.100.7', '198.51.100.0/24'],
    ['2001:db8:1:2::3', '2001:db8:1::/48'],
    ['2001:0db8:0001::', '2001:db8:1::/48'],
    ['::1', '0:0:0::/48'],
    ['fe80::1%eth0', 'fe80:0:0::/48'],
  ])('puts %s into %s', (address, subnet) => expect(originOf(address, false).subnet).toBe(subnet));

  it('calls this machine local on regtest only', () => {
    expect([originOf('127.0.0.9', true).isLocal, originOf('127.0.0.9', false).isLocal]).toEqual([true, false]);
    expect(originOf('10.0.0.1', true).isLocal).toBe(false);
  });
});

describe('Exposure', () => {
  it('lets a piece wait until there is room for it, in turn', () => {
    const waits: string[] = [];
    const exposure = new Exposure(policyWith({ unpaidInFlight: { maxBytesPerAddress: 10 } }), (limit) =>
      waits.push(limit),
    );
    const granted: string[] = [];
    exposure.reserve(stranger, 8, () => granted.push('first'));
    exposure.reserve(stranger, 4, () => granted.push('second'));
    const giveUp = exposure.reserve(stranger, 4, () => granted.push('third'));
    exposure.reserve(stranger, 4, () => granted.push('fourth'));
    expect([granted, waits.length]).toEqual([['first'], 3]);
    giveUp();
    exposure.release(stranger, 8);
    expect(granted).toEqual(['first', 'second', 'fourth']);
    expect(exposure.bytes).toBe(8);
    exposure.release(stranger, 4);
    exposure.release(stranger, 4);
    expect(exposure.bytes).toBe(0);
  });

  it('counts subnets and the node across addresses, and spares this machine on regtest', () => {
    const exposure = new Exposure(
      policyWith({ unpaidInFlight: { maxBytesPerSubnet: 10, maxBytesPerNode: 30 } }),
      () => undefined,
    );
    let granted = 0;
    const count = (): void => void granted++;
    exposure.reserve(stranger, 8, count);
    exposure.reserve(neighbour, 8, count);
    expect(granted).toBe(1);
    exposure.reserve(local, 20, count);
    expect(granted).toBe(2);
    exposure.reserve(local, 20, count);
    expect(granted).toBe(2);
  });
});

describe('JoinPlaces', () => {
  it('gives an address its few places and takes them back', () => {
    const places = new JoinPlaces(policyWith({ joins: { maxWaitingPerAddress: 1, maxWaitingPerSubnet: 2 } }));
    expect(places.take(stranger)).toBeUndefined();
    expect(places.take(stranger)).toBe('address-joins');
    expect(places.take(neighbour)).toBeUndefined();
    expect(places.take(originOf('198.51.100.9', false))).toBe('subnet-joins');
    places.leave(stranger);
    expect(places.take(stranger)).toBeUndefined();
    expect(places.count).toBe(2);
  });
});

describe('ConnectionLimits', () => {
  it('limits the node, and addresses unless they are this machine', () => {
    const limits = new ConnectionLimits(policyWith(), 40);
    for (let at = 0; at < 32; at++) limits.enter(stranger);
    expect(limits.limitFor(stranger)).toBe('address-connections');
    expect(limits.limitFor(neighbour)).toBeUndefined();
    for (let at = 0; at < 8; at++) limits.enter(local);
    expect(limits.limitFor(local)).toBe('node-connections');
    limits.leave(stranger);
    expect(limits.limitFor(stranger)).toBeUndefined();
  });
});

describe('SpeedTestBudget', () => {
  it('counts tests per address and subnet and hour, not per connection', () => {
    let now = 0;
    const policy = policyWith({ speedTest: { maxPerAddressHour: 2, maxPerSubnetHour: 3 } });
    const budget = new SpeedTestBudget(policy, 125 * MIB, () => now);
    expect(budget.charge(stranger, 1000)).toBe('answered');
    expect(budget.charge(stranger, 1000)).toBe('answered');
    expect(budget.charge(stranger, 1000)).toBe('address-budget');
    expect(budget.charge(neighbour, 1000)).toBe('answered');
    expect(budget.charge(neighbour, 1000)).toBe('subnet-budget');
    now = 3_600_000;
    expect(budget.charge(stranger, 1000)).toBe('answered');
  });

  it('gives away a burst, then a share of the bandwidth, whoever asks', () => {
    let now = 0;
    const budget = new SpeedTestBudget(policyWith({ speedTest: { burstBytes: 3_000 } }), 100_000, () => now);
    for (let at = 0; at < 3; at++) expect(budget.charge(local, 1000)).toBe('answered');
    expect(budget.charge(local, 1000)).toBe('node-budget');
    now = 1_000;
    expect(budget.charge(local, 1000)).toBe('answered');
    expect(budget.charge(local, 1000)).toBe('node-budget');
  });
});
