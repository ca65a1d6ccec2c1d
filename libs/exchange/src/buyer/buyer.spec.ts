import { describe, expect, it } from 'vitest';

import { BUYER_TERMS, closeCode, only, party, SELLER_TERMS, sent } from '../testing/parties.js';
import { loadingProbe, paymentOf, preparingProbe, shoppingProbe } from '../testing/stages.js';

const joining = () => {
  const { publicKey, keyHash } = party(7);
  return { type: 'joining_contract', sellerPublicKey: publicKey, sellerKeyHash: keyHash } as const;
};
const sell = (index: number) => ({ type: 'sell', terms: SELLER_TERMS, index }) as const;
const full = (fill: number) => ({ type: 'full_piece', data: new Uint8Array(100).fill(fill) }) as const;

describe('shopping', () => {
  it('tests speed and judges only the size', () => {
    const probe = shoppingProbe();
    expect(sent(probe.step({ type: 'test-speed', sizeBytes: 1000 }))).toEqual([
      { type: 'speedTestRequest', size: 1000 },
    ]);
    const effects = probe.recv({ type: 'speedTestPayload', data: new Uint8Array(1000) });
    expect(effects).toEqual([{ type: 'speed-tested' }]);
  });

  it.each([299, 301])('closes on a payload of %i bytes instead of 300, without penalty', (sentBytes) => {
    const probe = shoppingProbe();
    probe.step({ type: 'test-speed', sizeBytes: 300 });
    const effects = probe.recv({ type: 'speedTestPayload', data: new Uint8Array(sentBytes) });
    expect(only(effects, 'close')).toEqual([{ type: 'close', code: 'speed-test-size-mismatch', penalise: false }]);
  });

  it('keeps a test through a new quote and ends it by another mode', () => {
    const probe = shoppingProbe();
    probe.step({ type: 'test-speed', sizeBytes: 10 });
    probe.recv(sell(4));
    expect(only(probe.recv({ type: 'speedTestPayload', data: new Uint8Array(10) }), 'speed-tested')).toHaveLength(1);
    const other = shoppingProbe();
    other.step({ type: 'test-speed', sizeBytes: 10 });
    other.recv({ type: 'observe' });
    const late = other.recv({ type: 'speedTestPayload', data: new Uint8Array(10) });
    expect(late).toEqual([{ type: 'note', code: 'message-ignored', message: 'speedTestPayload' }]);
  });

  it('drops a large answer that comes after the question lapsed, without closing', () => {
    const testing = shoppingProbe();
    testing.step({ type: 'test-speed', sizeBytes: 5000 });
    testing.recv({ type: 'observe' });
    expect(closeCode(testing.recv({ type: 'speedTestPayload', data: new Uint8Array(5000) }))).toBeUndefined();
    const loading = loadingProbe();
    loading.step({ type: 'request-piece', piece: 0 });
    loading.step({ type: 'observe' });
    expect(only(loading.recv(full(0)), 'note')[0]?.code).toBe('message-ignored');
  });

  it("invites with the seller's latest index and falls back on a new quote", () => {
    const probe = shoppingProbe();
    expect(sent(probe.step({ type: 'invite' }))).toEqual([{ type: 'join_contract', index: 3 }]);
    const effects = probe.recv(sell(4));
    expect(effects.map((effect) => effect.type)).toEqual(['peer-mode', 'seller-unjoined', 'offer']);
    expect(sent(probe.step({ type: 'invite' }))).toEqual([{ type: 'join_contract', index: 4 }]);
  });

  it('drops a join it did not ask for', () => {
    expect(only(shoppingProbe().recv(joining()), 'note')[0]?.code).toBe('message-ignored');
  });

  it('takes the terms it asked for', () => {
    const probe = shoppingProbe();
    probe.step({ type: 'invite' });
    expect(only(probe.recv(joining()), 'seller-joined')[0]).toMatchObject({ terms: SELLER_TERMS });
  });

  it.each(['observe', 'buy', 'sell'] as const)('closes when a joined seller sends %s', (type) => {
    const message =
      type === 'observe' ? ({ type } as const) : type === 'buy' ? ({ type, terms: BUYER_TERMS } as const) : sell(3);
    for (const probe of [preparingProbe(), loadingProbe()]) {
      expect(only(probe.recv(message), 'close')).toEqual([
        { type: 'close', code: 'seller-interrupted', penalise: false },
      ]);
    }
  });
});

describe('loading', () => {
  it('pays each good piece, in order', () => {
    const probe = loadingProbe();
    probe.step({ type: 'request-piece', piece: 4 });
    probe.step({ type: 'request-piece', piece: 5 });
    expect(only(probe.recv(full(4)), 'piece-received')[0]?.piece).toBe(4);
    const effects = probe.step({ type: 'piece-good', piece: 4 });
    expect(sent(effects)).toEqual([paymentOf(1)]);
    expect(only(effects, 'payment-sent')).toEqual([{ type: 'payment-sent', paymentNumber: 1, paidSat: 1000n }]);
  });

  it('closes and penalises on a bad piece and on a piece too many', () => {
    const bad = loadingProbe();
    bad.step({ type: 'request-piece', piece: 0 });
    bad.recv(full(0));
    expect(only(bad.step({ type: 'piece-bad', piece: 0 }), 'close')).toEqual([
      { type: 'close', code: 'piece-invalid', penalise: true },
    ]);
    expect(only(loadingProbe().recv(full(0)), 'close')).toEqual([
      { type: 'close', code: 'piece-overflow', penalise: true },
    ]);
  });

  it('never requests more than the funding can pay', () => {
    // floor((2,600 − 546) / 1,000) = 2.
    const probe = loadingProbe(2600n);
    const requests = [0, 1, 2].flatMap((piece) => sent(probe.step({ type: 'request-piece', piece })));
    expect(requests).toHaveLength(2);
  });

  it('pays politely once for what is on its way', () => {
    const probe = loadingProbe();
    for (const piece of [0, 1, 2]) probe.step({ type: 'request-piece', piece });
    probe.recv(full(0));
    expect(sent(probe.step({ type: 'pay-outstanding' }))).toHaveLength(2);
    expect(sent(probe.step({ type: 'pay-outstanding' }))).toEqual([]);
    expect(sent(probe.step({ type: 'piece-good', piece: 0 }))).toHaveLength(1);
    probe.recv(full(1));
    expect(sent(probe.step({ type: 'piece-good', piece: 1 }))).toEqual([]);
  });

  it('pays politely before it announces another mode or uninstalls', () => {
    const observing = loadingProbe();
    observing.step({ type: 'request-piece', piece: 0 });
    expect(sent(observing.step({ type: 'observe' })).map(({ type }) => type)).toEqual(['payment', 'observe']);
    const stopping = loadingProbe();
    stopping.step({ type: 'request-piece', piece: 0 });
    expect(stopping.step({ type: 'stop' }).map(({ type }) => type)).toEqual([
      'send',
      'payment-sent',
      'purchase-ended',
      'session-left',
      'send-handshake',
    ]);
  });

  it('reports the end once, with what was not answered', () => {
    const probe = loadingProbe();
    for (const piece of [6, 7]) probe.step({ type: 'request-piece', piece });
    probe.recv(full(6));
    expect(only(probe.step({ type: 'disconnected' }), 'purchase-ended')).toEqual([
      { type: 'purchase-ended', reason: 'disconnected', paid: 0, unanswered: [7] },
    ]);
    expect(closeCode(probe.step({ type: 'disconnected' }))).toBeUndefined();
  });
});
