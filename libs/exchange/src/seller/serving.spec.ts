import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DEFAULT_WINDOW } from '../config.js';
import { connectionStatus } from '../connection/status.js';
import { BUYER_TERMS, closeCode, only, type Probe } from '../testing/parties.js';
import { paymentOf, servingProbe, settlementOf } from '../testing/stages.js';
import { windowPieces } from './window.js';

const WIDE = { window: { startPieces: 5, paymentsPerStep: 1, maxPieces: 5, maxBytes: 1e9 } };
const request = (piece: number) => ({ type: 'request_full_piece', piece }) as const;

/** Loads whatever the step asked for, and returns the pieces that were delivered. */
function load(probe: Probe, effects: ReturnType<Probe['step']>): number[] {
  const delivered = only(effects, 'deliver-piece').map(({ piece }) => piece);
  for (const { entry } of only(effects, 'load-piece')) {
    delivered.push(...load(probe, probe.step({ type: 'piece-loaded', entry })));
  }
  return delivered;
}

describe('delivery', () => {
  it('delivers no more than the window ahead of durable payments', () => {
    const probe = servingProbe(WIDE);
    const delivered = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((piece) => load(probe, probe.recv(request(piece))));
    expect(delivered).toEqual([0, 1, 2, 3, 4]);
    expect(load(probe, probe.recv(paymentOf(1)))).toEqual([]);
    expect(load(probe, probe.step({ type: 'payments-stored', paymentNumber: 1 }))).toEqual([5]);
  });

  it('delivers in the order of the requests, whatever loads first', () => {
    const probe = servingProbe(WIDE);
    const entries = [7, 8, 9].flatMap((piece) => only(probe.recv(request(piece)), 'load-piece'));
    expect(entries.map(({ piece }) => piece)).toEqual([7, 8, 9]);
    expect(probe.step({ type: 'piece-loaded', entry: 3 })).toEqual([]);
    expect(probe.step({ type: 'piece-loaded', entry: 2 })).toEqual([]);
    const delivered = only(probe.step({ type: 'piece-loaded', entry: 1 }), 'deliver-piece');
    expect(delivered.map(({ piece, sizeBytes }) => [piece, sizeBytes])).toEqual([
      [7, 100],
      [8, 100],
      [9, 50],
    ]);
  });

  it('starts with one piece and widens as payments become durable', () => {
    expect([0, 3, 4, 8, 11, 12, 1000].map((stored) => windowPieces(DEFAULT_WINDOW, stored))).toEqual([
      1, 1, 2, 3, 3, 4, 4,
    ]);
    const probe = servingProbe();
    expect([0, 1].flatMap((piece) => load(probe, probe.recv(request(piece))))).toEqual([0]);
  });

  it('bounds the window in bytes, but always allows one piece', () => {
    const probe = servingProbe({ window: { ...WIDE.window, maxBytes: 250 } });
    expect([0, 1, 2].flatMap((piece) => load(probe, probe.recv(request(piece))))).toEqual([0, 1]);
    const tight = servingProbe({ window: { ...WIDE.window, maxBytes: 10 } });
    expect([0, 1].flatMap((piece) => load(tight, tight.recv(request(piece))))).toEqual([0]);
  });

  it('queues until the funding verdict, and keeps to an allowance', () => {
    const probe = servingProbe(WIDE, 10_600n, false);
    expect([0, 1, 2].flatMap((piece) => load(probe, probe.recv(request(piece))))).toEqual([]);
    const allowed = probe.step({ type: 'funding-verdict', verdict: { kind: 'serve-bytes', allowanceBytes: 250 } });
    expect(load(probe, allowed)).toEqual([0, 1]);
    expect(load(probe, probe.step({ type: 'funding-verdict', verdict: { kind: 'serve-all' } }))).toEqual([2]);
  });

  it('ends on a refused funding without penalty', () => {
    const probe = servingProbe(WIDE, 10_600n, false);
    const effects = probe.step({ type: 'funding-verdict', verdict: { kind: 'refuse', reason: 'script-mismatch' } });
    expect(only(effects, 'channel-ended')[0]).toMatchObject({ reason: 'funding-refused', finalPayment: 0 });
    expect(only(effects, 'close')).toEqual([
      { type: 'close', code: 'funding-refused', penalise: false, reason: 'script-mismatch' },
    ]);
  });

  it('holds pieces back while paused, not payments', () => {
    const probe = servingProbe(WIDE);
    expect(load(probe, probe.recv(request(0)))).toEqual([0]);
    probe.step({ type: 'pause-serving' });
    expect(load(probe, probe.recv(request(1)))).toEqual([]);
    expect(only(probe.recv(paymentOf(1)), 'store-payment')).toHaveLength(1);
    expect(load(probe, probe.step({ type: 'resume-serving' }))).toEqual([1]);
  });

  it('closes beyond the cap on queued requests', () => {
    const probe = servingProbe({ maxQueuedRequests: 3 });
    for (const piece of [0, 0, 0]) expect(closeCode(probe.recv(request(piece)))).toBeUndefined();
    expect(closeCode(probe.recv(request(0)))).toBe('request-queue-overflow');
  });

  it.each([-1, 10, -2_147_483_648])('closes and penalises on piece %i', (piece) => {
    expect(only(servingProbe().recv(request(piece)), 'close')).toEqual([
      { type: 'close', code: 'piece-index-invalid', penalise: true },
    ]);
  });

  it('closes after settling when content cannot be read', () => {
    const probe = servingProbe();
    probe.recv(request(0));
    const effects = probe.step({ type: 'piece-unreadable', entry: 1 });
    expect(effects.map((effect) => effect.type)).toEqual(['discard-piece', 'channel-ended', 'close']);
  });
});

describe('payments', () => {
  it('hands out each good payment once, in order', () => {
    const probe = servingProbe(WIDE);
    for (const piece of [0, 1]) probe.recv(request(piece));
    expect(only(probe.recv(paymentOf(1)), 'store-payment')[0]).toMatchObject({ paymentNumber: 1, paidSat: 1000n });
    expect(only(probe.recv(paymentOf(2)), 'store-payment')[0]).toMatchObject({ paymentNumber: 2, paidSat: 2000n });
  });

  it('accepts a payment before its piece, and delivers the piece', () => {
    const probe = servingProbe(WIDE);
    const loading = probe.recv(request(0));
    expect(only(probe.recv(paymentOf(1)), 'store-payment')).toHaveLength(1);
    expect(load(probe, loading)).toEqual([0]);
  });

  const fault = (payment: ReturnType<typeof paymentOf>, requests = 1) => {
    const probe = servingProbe(WIDE);
    for (let i = 0; i < requests; i += 1) probe.recv(request(i));
    return only(probe.recv(payment), 'close')[0];
  };

  it('closes on more payments than requests', () => {
    expect(fault(paymentOf(1), 0)).toMatchObject({ code: 'payment-overflow', penalise: true });
  });

  it('closes on a skipped number and on a signature of nobody', () => {
    expect(fault(paymentOf(2), 2)).toMatchObject({ code: 'payment-signature-invalid', penalise: true });
  });

  it('closes on signatures that are not canonical, each with its code', () => {
    const der = (hex: string) => ({ type: 'payment', signature: Buffer.from(hex, 'hex') }) as const;
    expect(fault(der('3006020101020101'))).toMatchObject({ code: 'payment-signature-invalid' });
    expect(fault(der('3006020100020101'))).toMatchObject({ code: 'payment-scalar-out-of-range' });
    expect(fault(der(''))).toMatchObject({ code: 'payment-encoding-invalid' });
    expect(fault(der('3006020181020101'))).toMatchObject({ code: 'payment-encoding-invalid' });
    const highS = '30260201010221' + '00fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140';
    expect(fault(der(highS))).toMatchObject({ code: 'payment-high-s', penalise: true });
  });

  it('tells a buyer of another chain from a cheat, at its first payment only', () => {
    const cash = settlementOf(10_600n, true);
    expect(fault(paymentOf(1, cash))).toMatchObject({ code: 'payment-wrong-network', penalise: false });
    const probe = servingProbe(WIDE);
    for (const piece of [0, 1]) probe.recv(request(piece));
    probe.recv(paymentOf(1));
    expect(closeCode(probe.recv(paymentOf(2, cash)))).toBe('payment-signature-invalid');
  });

  it('ignores requests beyond kCap and ends at payment kCap', () => {
    // floor((3,600 − 546) / 1,000) = 3.
    const template = settlementOf(3600n);
    const probe = servingProbe(WIDE, 3600n);
    for (const piece of [0, 1, 2]) probe.recv(request(piece));
    expect(probe.recv(request(3))).toEqual([
      { type: 'note', code: 'request-beyond-cap', message: 'request_full_piece' },
    ]);
    probe.recv(paymentOf(1, template));
    probe.recv(paymentOf(2, template));
    const effects = probe.recv(paymentOf(3, template));
    expect(only(effects, 'channel-ended')[0]).toMatchObject({ reason: 'channel-exhausted', finalPayment: 3 });
    expect(only(effects, 'close')).toEqual([{ type: 'close', code: 'channel-exhausted', penalise: false }]);
  });

  it('only ever moves forward, whatever is replayed, reordered or duplicated', () => {
    const signatures = [1, 2, 3, 4].map((number) => paymentOf(number));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 }), (order) => {
        const probe = servingProbe(WIDE);
        for (const piece of [0, 1, 2, 3]) probe.recv(request(piece));
        const stored: number[] = [];
        let ended: number | undefined;
        for (const position of order) {
          const effects = probe.recv(signatures[position]!);
          stored.push(...only(effects, 'store-payment').map(({ paymentNumber }) => paymentNumber));
          for (const { finalPayment } of only(effects, 'channel-ended')) {
            expect(ended).toBeUndefined();
            ended = finalPayment;
          }
        }
        // The longest prefix of 1, 2, 3, … is accepted; the first other payment ends the channel there.
        const fits = order.findIndex((position, index) => position !== index);
        const accepted = fits < 0 ? order.length : fits;
        expect(stored).toEqual([1, 2, 3, 4].slice(0, accepted));
        if (fits >= 0) expect(ended).toBe(accepted);
      }),
      { numRuns: 60 },
    );
  });

  it('never believes that more is stored than was paid', () => {
    const probe = servingProbe(WIDE);
    probe.recv(request(0));
    probe.step({ type: 'payments-stored', paymentNumber: 99 });
    expect(connectionStatus(probe.conn).channel).toMatchObject({ paid: 0, stored: 0 });
  });
});

describe('the end of a channel', () => {
  const paidProbe = () => {
    const probe = servingProbe(WIDE);
    load(probe, probe.recv(request(0)));
    probe.recv(paymentOf(1));
    return probe;
  };

  it.each([
    ['observe', { type: 'observe' }],
    ['buy', { type: 'buy', terms: BUYER_TERMS }],
  ] as const)('is normal on %s', (_, message) => {
    const effects = paidProbe().recv(message);
    expect(only(effects, 'channel-ended')).toEqual([
      {
        type: 'channel-ended',
        invitation: 1,
        reason: 'buyer-finished',
        finalPayment: 1,
        signature: (paymentOf(1) as { signature: Uint8Array }).signature,
        requested: 1,
        delivered: 1,
        deliveredBytes: 100,
      },
    ]);
    expect(only(effects, 'close')).toEqual([{ type: 'close', code: 'buyer-finished', penalise: false }]);
  });

  it('happens once, whatever follows', () => {
    const probe = paidProbe();
    probe.recv({ type: 'observe' });
    expect(probe.step({ type: 'disconnected' })).toEqual([]);
    expect(probe.step({ type: 'end-channel', reason: 'shutdown' })).toEqual([]);
    expect(probe.step({ type: 'payments-stored', paymentNumber: 1 })).toEqual([]);
  });

  it('comes with a cut connection, without a close', () => {
    const effects = paidProbe().step({ type: 'disconnected' });
    expect(effects.map((effect) => effect.type)).toEqual(['channel-ended']);
  });

  it('keeps the connection when either side uninstalls', () => {
    const local = paidProbe().step({ type: 'stop' });
    expect(local.map((effect) => effect.type)).toEqual(['channel-ended', 'session-left', 'send-handshake']);
  });

  it('closes on leaving sell mode', () => {
    const effects = paidProbe().step({ type: 'observe' });
    expect(effects.map((effect) => effect.type)).toEqual(['channel-ended', 'close']);
  });

  it.each(['deadline', 'conflict'] as const)('closes at the host reason %s', (reason) => {
    const effects = paidProbe().step({ type: 'end-channel', reason });
    expect(only(effects, 'channel-ended')[0]).toMatchObject({ reason, finalPayment: 1 });
    expect(only(effects, 'close')).toEqual([{ type: 'close', code: 'local', penalise: false, reason }]);
  });

  it.each(['join_contract', 'speedTestRequest'] as const)('does not come with %s', (type) => {
    const message = type === 'join_contract' ? ({ type, index: 0 } as const) : ({ type, size: 1 } as const);
    expect(only(paidProbe().recv(message), 'note')[0]?.code).toBe('message-ignored');
  });
});
