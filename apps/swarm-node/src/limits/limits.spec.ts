import { policyWith } from '@seedfleet/policy';
import { describe, expect, it } from 'vitest';
import { ConnectionLimits } from './connection-limits.js';
import { costOfClose, costOfRefusal, isBlameless } from './costs.js';
import { Exposure } from './exposure.js';
import { JoinPlaces } from './join-places.js';
import { originOf } from './origin.js';
import { SourceScores } from './source-scores.js';
import { SpeedTestBudget } from './speed-test-budget.js';
import { UnreadWatch } from './unread-watch.js';

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
    const connect = (origin: typeof stranger): void => {
      limits.enter(origin);
      limits.handshaken(origin);
    };
    for (let at = 0; at < 32; at++) connect(stranger);
    expect(limits.limitFor(stranger)).toBe('address-connections');
    expect(limits.limitFor(neighbour)).toBeUndefined();
    for (let at = 0; at < 8; at++) connect(local);
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

describe('handshakes', () => {
  it('are limited per address and subnet while they last', () => {
    const limits = new ConnectionLimits(policyWith({ connections: { maxHandshakesPerSubnet: 9 } }), 100);
    for (let at = 0; at < 8; at++) limits.enter(stranger);
    expect(limits.limitFor(stranger)).toBe('address-handshakes');
    limits.enter(neighbour);
    expect(limits.limitFor(neighbour)).toBe('subnet-handshakes');
    limits.handshaken(neighbour);
    limits.handshaken(stranger);
    expect([limits.limitFor(stranger), limits.count]).toEqual([undefined, 9]);
  });
});

describe('SourceScores', () => {
  const HALF_LIFE_MS = 600_000;
  const scores = (overrides = {}) => {
    const clock = { nowMs: 0, costs: 0 };
    const made = new SourceScores(
      policyWith({ abuse: overrides }),
      () => clock.nowMs,
      () => void clock.costs++,
    );
    return { scores: made, clock };
  };

  it('slow a source down before they refuse it, and forgive with time', () => {
    const { scores: sources, clock } = scores();
    for (let at = 0; at < 3; at++) sources.charge(stranger, 'violation');
    expect(sources.standing(stranger)).toBe('throttled');
    expect([sources.refusalOf(stranger), sources.refusalOf(stranger)]).toEqual([undefined, 'source-throttled']);
    clock.nowMs = 5_000;
    expect(sources.refusalOf(stranger)).toBeUndefined();
    for (let at = 0; at < 8; at++) sources.charge(stranger, 'violation');
    expect(sources.refusalOf(stranger)).toBe('source-banned');
    expect(sources.refusalOf(neighbour)).toBeUndefined();
    // Banned until the score is below the throttle, not merely below the ban.
    clock.nowMs += HALF_LIFE_MS;
    expect(sources.standing(stranger)).toBe('banned');
    clock.nowMs += 2 * HALF_LIFE_MS;
    expect(sources.standing(stranger)).toBe('good');
  });

  it('count a subnet across its addresses, however many it has', () => {
    const { scores: sources } = scores({ maxSources: 100 });
    const at = (host: number) => originOf(`2001:db8:1::${host.toString(16)}`, false);
    for (let host = 1; host <= 30_000; host++) sources.charge(at(host % 9_999), 'slowHandshake');
    expect(sources.count).toBeLessThanOrEqual(101);
    expect(sources.refusalOf(at(60_000))).toBe('source-banned');
    expect(sources.standing(stranger)).toBe('good');
  });

  it('do not forget a banned source because many others come by', () => {
    const { scores: sources } = scores({ maxSources: 50 });
    for (let at = 0; at < 12; at++) sources.charge(stranger, 'violation');
    for (let at = 0; at < 5_000; at++) sources.charge(originOf(`10.${at >> 8}.${at & 255}.1`, false), 'connection');
    expect(sources.standing(stranger)).toBe('banned');
  });

  it('fall with payments, and spare this machine on regtest', () => {
    const { scores: sources, clock } = scores();
    sources.chargeUnpaid(stranger, 30 * MIB);
    expect(sources.standing(stranger)).toBe('throttled');
    for (let paid = 0; paid < 60; paid++) sources.credit(stranger);
    expect(sources.standing(stranger)).toBe('good');
    for (let at = 0; at < 90; at++) sources.charge(local, 'violation');
    expect([sources.refusalOf(local), clock.costs]).toEqual([undefined, 92]);
  });
});

describe('what an end costs', () => {
  it('is nothing for races and for buyers of another chain', () => {
    const blameless = ['payment-wrong-network', 'terms-revised', 'stale-quote', 'deadline'] as const;
    expect(blameless.every(isBlameless)).toBe(true);
    expect(isBlameless('disconnected')).toBe(false);
    expect([costOfClose('remote'), costOfClose('socket-error'), costOfRefusal('self-connection')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('UnreadWatch', () => {
  it('lets a slow peer go on and finds the one that takes nothing', () => {
    const watch = new UnreadWatch(policyWith({ connections: { unreadMs: 10_000 } }));
    for (let second = 0; second < 100; second++) {
      expect(watch.isStuck(200_000 - second * 1_000, second * 1_000)).toBe(false);
    }
    expect(watch.isStuck(101_000, 105_000)).toBe(false);
    expect(watch.isStuck(101_000, 112_000)).toBe(true);
    expect(watch.isStuck(0, 113_000)).toBe(false);
    expect(watch.isStuck(5_000, 500_000)).toBe(false);
  });
});
