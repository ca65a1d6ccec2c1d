import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canSyncAlways, judgeDurability, type BrokerSeen } from './durability.js';

const names = ['a', 'b', 'c'];
const seenBy = fc
  .record({
    replicas: fc.constantFrom(null, 1, 3, 5),
    flushes: fc.tuple(...names.map(() => fc.constantFrom('fsync' as const, 'page-cache' as const, 'unseen' as const))),
  })
  .map(({ replicas, flushes }): BrokerSeen => ({
    version: '2.10.27',
    replicas,
    keepers: names,
    servers: names.flatMap((name, at) => {
      const flush = flushes[at];
      return flush === undefined || flush === 'unseen' ? [] : [{ name, version: '2.10.27', flush }];
    }),
    unreadable: [],
  }));

describe('what an acknowledgement is worth', () => {
  it('is never called enough where any server was seen to flush later, or was not seen and nothing says so', () => {
    fc.assert(
      fc.property(seenBy, fc.constantFrom(1, 3), (seen, replicas) => {
        const { shortfalls, unverified, worth } = judgeDurability({ flush: 'fsync', replicas }, seen);
        const later = seen.servers.filter(({ flush }) => flush === 'page-cache');
        expect(shortfalls.filter(({ code }) => code === 'broker-flushes-later')).toHaveLength(later.length);
        const few = seen.replicas !== null && seen.replicas < replicas;
        expect(shortfalls.some(({ code }) => code === 'too-few-replicas')).toBe(few);
        for (const name of names) {
          const isSeen = seen.servers.some((server) => server.name === name);
          expect(unverified.some((what) => what.includes(`whether ${name} flushes`))).toBe(!isSeen);
        }
        expect(unverified.some((what) => what.includes('servers keep'))).toBe(seen.replicas === null && replicas > 1);
        expect(worth.startsWith('on the disk of')).toBe(seen.servers.length === 3 && later.length === 0);
      }),
    );
  });

  it('asks for nothing more than the page cache where that was configured', () => {
    const seen: BrokerSeen = { version: '2.9.10', replicas: 1, keepers: ['a'], servers: [], unreadable: [] };
    expect(judgeDurability({ flush: 'page-cache', replicas: 1 }, seen)).toMatchObject({
      shortfalls: [],
      unverified: [],
    });
    expect(judgeDurability({ flush: 'fsync', replicas: 1 }, seen).shortfalls).toMatchObject([
      { code: 'broker-version-unsafe' },
    ]);
  });

  it.each([
    ['1.4.1', false],
    ['2.9.25', false],
    ['2.10.19', false],
    ['2.10.21', false],
    ['2.10.23', true],
    ['2.10.0', false],
    ['2.10.20', false],
    ['2.10.22', false],
    ['2.10.23-RC.1', true],
    ['2.11.0', true],
    ['3.0.0', true],
    ['unknown', false],
  ])('of a server %s: can be flushed %s', (version, can) => {
    expect(canSyncAlways(version)).toBe(can);
  });
});
