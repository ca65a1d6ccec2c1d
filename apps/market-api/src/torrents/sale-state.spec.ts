import { describe, expect, it } from 'vitest';
import { saleOf, type SeedingCount } from './sale-state.js';

const count = (state: string, over: Partial<SeedingCount> = {}): SeedingCount => ({
  state,
  alive: true,
  nodes: 1,
  progress: 0,
  detail: '',
  ...over,
});

describe('the state of a sale', () => {
  it('is on sale as soon as one living node sells, whatever the others say', () => {
    const sale = saleOf('active', null, [count('missing'), count('on-sale', { nodes: 2 }), count('verifying')]);
    expect(sale).toEqual({ state: 'on-sale', detail: '', progress: 1, nodesOnSale: 2 });
  });

  it('does not count nodes that are not heard of', () => {
    const sale = saleOf('active', null, [count('on-sale', { alive: false })]);
    expect(sale).toMatchObject({ state: 'waiting', detail: 'its nodes are not heard of', nodesOnSale: 0 });
  });

  it('shows a verification before trouble elsewhere, since it may still come right', () => {
    const sale = saleOf('active', null, [count('corrupt'), count('verifying', { progress: 0.4 })]);
    expect(sale).toMatchObject({ state: 'verifying', progress: 0.4 });
  });

  it.each(['missing', 'corrupt', 'failed'])('tells why when every node says %s', (state) => {
    const sale = saleOf('active', null, [count(state, { detail: 'no such file' })]);
    expect(sale).toMatchObject({ state, detail: 'no such file' });
  });

  it('puts the operator and the economics first', () => {
    expect(saleOf('removed', null, [count('on-sale')]).state).toBe('removed');
    expect(saleOf('paused', null, [count('on-sale')]).state).toBe('paused');
    expect(saleOf('active', 'kMin > N', [count('on-sale')])).toMatchObject({ state: 'declined', detail: 'kMin > N' });
  });

  it('waits for a node when nobody has reported', () => {
    expect(saleOf('active', null, [])).toMatchObject({ state: 'waiting', detail: 'no node has taken it up yet' });
  });
});
