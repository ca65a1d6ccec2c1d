import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountsOf, post, postingBetween, sumSat, type Account, type Balances, type ChannelFacts } from './index.js';

/** The worked example of the payment channel specification (§10): P = 7, F = 450, so kMin = 143. */
const example = (state: string, k: bigint, frozen = false): ChannelFacts => ({
  state,
  k,
  frozenK: frozen ? k : null,
  priceSat: 7n,
  settlementFeeSat: 450n,
});

const sorted = (balances: Balances): [Account, bigint][] => [...balances].sort(([a], [b]) => a.localeCompare(b));

/** States between which a channel moves once it serves; the later ones also backwards, as reorganisations do. */
const SERVING = ['joined', 'funding-seen', 'funded'] as const;
const ENDING = [
  'closing',
  'settling',
  'settled',
  'buried',
  'returned',
  'nothing-owed',
  'settle-rejected',
  'refund-seen',
  'funding-missing',
  'lost',
] as const;

interface Life {
  readonly priceSat: bigint;
  readonly settlementFeeSat: bigint;
  readonly serving: readonly { readonly state: string; readonly pays: bigint }[];
  readonly ending: readonly { readonly state: string; readonly frozen: boolean }[];
}

const life: fc.Arbitrary<Life> = fc.record({
  priceSat: fc.bigInt(1n, 3_000n),
  settlementFeeSat: fc.bigInt(0n, 2_000n),
  serving: fc.array(fc.record({ state: fc.constantFrom(...SERVING), pays: fc.bigInt(0n, 200n) }), { maxLength: 12 }),
  ending: fc.array(fc.record({ state: fc.constantFrom(...ENDING), frozen: fc.boolean() }), { maxLength: 12 }),
});

function rowsOf({ priceSat, settlementFeeSat, serving, ending }: Life): ChannelFacts[] {
  const rows: ChannelFacts[] = [{ state: 'offered', k: 0n, frozenK: null, priceSat, settlementFeeSat }];
  let k = 0n;
  for (const { state, pays } of serving) {
    k += pays;
    rows.push({ state, k, frozenK: null, priceSat, settlementFeeSat });
  }
  let isFrozen = false;
  for (const { state, frozen } of ending) {
    isFrozen ||= frozen;
    rows.push({ state, k, frozenK: isFrozen ? k : null, priceSat, settlementFeeSat });
  }
  return rows;
}

describe('accounts of a channel', () => {
  it.each<[string, ChannelFacts, [Account, bigint][]]>([
    ['nothing paid', example('funded', 0n), []],
    [
      'the last payment below kMin',
      example('funded', 142n),
      [
        ['accrued', 994n],
        ['revenue', -994n],
      ],
    ],
    [
      'the first payment that can be collected',
      example('funded', 143n),
      [
        ['collectable', 551n],
        ['revenue', -1001n],
        ['settlement-fee-reserved', 450n],
      ],
    ],
    [
      'frozen below kMin',
      example('closing', 142n, true),
      [
        ['revenue', -994n],
        ['uncollectable', 994n],
      ],
    ],
    [
      'the settlement on its way',
      example('settling', 987n, true),
      [
        ['broadcast', 6_459n],
        ['revenue', -6_909n],
        ['settlement-fee-reserved', 450n],
      ],
    ],
    [
      'mined',
      example('settled', 987n, true),
      [
        ['confirmed', 6_459n],
        ['revenue', -6_909n],
        ['settlement-fee', 450n],
      ],
    ],
    [
      'final',
      example('buried', 987n, true),
      [
        ['buried', 6_459n],
        ['revenue', -6_909n],
        ['settlement-fee', 450n],
      ],
    ],
    [
      'refused by the node',
      example('settle-rejected', 987n, true),
      [
        ['collectable', 6_459n],
        ['revenue', -6_909n],
        ['settlement-fee-reserved', 450n],
      ],
    ],
    [
      'refunded',
      example('lost', 987n, true),
      [
        ['lost', 6_909n],
        ['revenue', -6_909n],
      ],
    ],
    [
      'the change returned',
      example('returned', 142n, true),
      [
        ['revenue', -994n],
        ['uncollectable', 994n],
      ],
    ],
  ])('%s', (_case, facts, expected) => {
    expect(sorted(accountsOf(facts))).toEqual(expected);
  });

  it('reverse by posting when the settlement leaves its block', () => {
    const posting = postingBetween(example('settled', 987n, true), example('settling', 987n, true));
    expect(sorted(posting)).toEqual([
      ['broadcast', 6_459n],
      ['confirmed', -6_459n],
      ['settlement-fee', -450n],
      ['settlement-fee-reserved', 450n],
    ]);
  });

  it('post nothing where no amount changes', () => {
    expect(postingBetween(example('closing', 143n), example('refund-seen', 143n, true)).size).toBe(0);
  });
});

describe('over whole lives of channels, reorganisations included', () => {
  it('every posting balances, and the books are what the last state says', () => {
    fc.assert(
      fc.property(life, (events) => {
        let books: Balances = new Map();
        let before: ChannelFacts | null = null;
        for (const row of rowsOf(events)) {
          const posting = postingBetween(before, row);
          expect(sumSat(posting)).toBe(0n);
          books = post(books, posting);
          expect(sorted(books)).toEqual(sorted(accountsOf(row)));
          before = row;
        }
      }),
    );
  });

  it('revenue is k·P, and no other account is ever negative', () => {
    fc.assert(
      fc.property(life, (events) => {
        for (const row of rowsOf(events)) {
          for (const [account, amountSat] of accountsOf(row)) {
            if (account === 'revenue') expect(amountSat).toBe(-row.k * row.priceSat);
            else expect(amountSat > 0n).toBe(true);
          }
        }
      }),
    );
  });
});
