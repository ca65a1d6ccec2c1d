import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHANNEL_STATES } from '@seedfleet/channel-lifecycle';
import { figuresOf, sumFigures, type ChannelGroup } from './revenue.js';

/** A group as the database makes it: of channels that are either all collectable or all not. */
const group = fc
  .record({
    state: fc.constantFrom(...CHANNEL_STATES, 'some-later-state'),
    collectable: fc.boolean(),
    sales: fc.integer({ min: 0, max: 1_000_000 }),
    pieces: fc.bigInt(0n, 10n ** 9n),
    settlementFeesSat: fc.bigInt(0n, 10n ** 9n),
    earnedSat: fc.bigInt(0n, 10n ** 12n),
  })
  .map(({ earnedSat, ...rest }): ChannelGroup => {
    const grossSat = rest.collectable ? rest.settlementFeesSat + 547n + earnedSat : earnedSat;
    return { ...rest, grossSat };
  });

const one = (state: string, collectable: boolean): ChannelGroup => ({
  state,
  collectable,
  sales: 1,
  pieces: 987n,
  grossSat: collectable ? 6_909n : 994n,
  settlementFeesSat: 450n,
});

describe('revenue', () => {
  it('puts every satoshi of gross into exactly one figure', () => {
    fc.assert(
      fc.property(fc.array(group, { maxLength: 30 }), (groups) => {
        const f = sumFigures(groups);
        const parts = [
          f.uncollectableSat,
          f.collectableSat,
          f.expectedFeesSat,
          f.broadcastSat,
          f.settledSat,
          f.collectedSat,
          f.feesSat,
          f.atRiskSat,
          f.lostSat,
        ];
        expect(parts.every((part) => part >= 0n)).toBe(true);
        expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(f.revenueSat);
        expect(f.revenueSat).toBe(groups.reduce((sum, { grossSat }) => sum + grossSat, 0n));
      }),
    );
  });

  it('counts as collected only what is buried, net of the settlement fee', () => {
    expect(figuresOf(one('buried', true))).toMatchObject({ revenueSat: 6_909n, collectedSat: 6_459n, feesSat: 450n });
    expect(figuresOf(one('settled', true))).toMatchObject({ settledSat: 6_459n, collectedSat: 0n });
    expect(figuresOf(one('settling', true))).toMatchObject({ broadcastSat: 6_459n, collectedSat: 0n });
    expect(figuresOf(one('funded', true))).toMatchObject({
      collectableSat: 6_459n,
      expectedFeesSat: 450n,
      feesSat: 0n,
    });
  });

  it('shows payments below the first collectable one as such while the channel runs, and as lost afterwards', () => {
    expect(figuresOf(one('funded', false))).toMatchObject({ uncollectableSat: 994n, lostSat: 0n });
    expect(figuresOf(one('returned', false))).toMatchObject({ uncollectableSat: 0n, lostSat: 994n });
    expect(figuresOf(one('settling', false))).toMatchObject({ lostSat: 994n, feesSat: 0n });
  });

  it('has no opinion of a state it does not know but that somebody should look', () => {
    expect(figuresOf(one('some-later-state', true))).toMatchObject({ atRiskSat: 6_909n });
  });
});
