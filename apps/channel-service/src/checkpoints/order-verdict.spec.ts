import fc from 'fast-check';
import { expect, it } from 'vitest';
import { orderVerdict, type HeldOrder } from './order-verdict.js';

const held = fc
  .record({
    version: fc.integer({ min: 1, max: 4 }),
    txid: fc.constantFrom('a', 'b'),
    state: fc.constantFrom('waiting', 'cancelled', 'fired', 'found'),
    sentTxid: fc.constantFrom('a', 'b', 'other'),
  })
  .map(({ version, txid, state, sentTxid }): HeldOrder => {
    const sent = state === 'fired' ? { txid, raw: null } : state === 'found' ? { txid: sentTxid, raw: null } : null;
    return { version, txid, raw: null, state, sent, refused: null };
  });
const filed = fc.record({ version: fc.integer({ min: 1, max: 4 }), txid: fc.constantFrom('a', 'b') });
const standing = fc.record({ fleet: fc.option(held), tower: fc.option(held) });

it('lets a settlement be sent only where nobody who holds an order can send, or has sent, another one', () => {
  fc.assert(
    fc.property(filed, standing, fc.boolean(), (order, found, hasTower) => {
      const verdict = orderVerdict(order, found, hasTower);
      const sent = [found.fleet?.sent?.txid, found.tower?.sent?.txid].filter((txid) => txid !== undefined);
      if (sent.length > 0) {
        expect(verdict).toEqual(
          sent[0] === order.txid ? { kind: 'go' } : { kind: 'sent', sent: { txid: sent[0], raw: null } },
        );
        return;
      }
      if (verdict.kind === 'go') {
        const holders = hasTower ? [found.fleet, found.tower] : [found.fleet];
        for (const one of holders) expect(one).toMatchObject({ ...order, state: 'waiting' });
      }
      if (verdict.kind === 'file-above') {
        expect(verdict.version).toBeGreaterThanOrEqual(Math.max(found.fleet?.version ?? 0, found.tower?.version ?? 0));
      }
      if (verdict.kind === 'unacknowledged') expect([hasTower, found.fleet?.txid]).toEqual([true, order.txid]);
    }),
  );
});
