import { BOOKED_FIGURES, EXPLAINED_FIGURES } from '@seedfleet/books';
import { describe, expect, it } from 'vitest';
import { labelsIn } from './components/label-text';
import { amountOf, FIGURE_IDS } from './figures';
import { addressOf, periodIn, periodWords } from './period';

describe('figures of revenue', () => {
  it('have a meaning wherever the books explain one, and sums are exact', () => {
    expect([...FIGURE_IDS].sort()).toEqual([...EXPLAINED_FIGURES].sort());
    const powers = Object.fromEntries(
      BOOKED_FIGURES.map((figure, place) => [figure, (1n << BigInt(60 + place)).toString()]),
    );
    const of = powers as Parameters<typeof amountOf>[0];
    for (const figure of BOOKED_FIGURES) expect(amountOf(of, figure).toString()).toBe(of[figure]);
    expect(amountOf(of, 'collectedSat')).toBe(BigInt(of.buriedSat) + BigInt(of.sweptSat));
    expect(amountOf(of, 'allFeesSat')).toBe(BigInt(of.feesSat) + BigInt(of.feesReservedSat));
  });
});

describe('addresses of pages', () => {
  it('carry a period of whole days and nothing that is no day', () => {
    const period = periodIn(new URLSearchParams('from=2026-01-02&to=soon&by=nodes'));
    expect(addressOf('/revenue', { by: 'nodes', search: '' }, period)).toBe('/revenue?by=nodes&from=2026-01-02');
    expect(periodWords(period)).toBe('since 2026-01-02');
    expect(periodWords(periodIn(new URLSearchParams()))).toBe('over all time');
  });

  it('take labels apart as they are typed, each once', () => {
    expect(labelsIn(' film, 4k ,, film')).toEqual(['film', '4k']);
  });
});
