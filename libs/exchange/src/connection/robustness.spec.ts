import { encodePayload, MESSAGE_ID, type Message } from '@seedfleet/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { ConnectionEvent } from '../events.js';
import { inSession } from '../extension/extension.js';
import { BUYER_TERMS, INSTALL, only, party, Probe, SELLER_TERMS, UNINSTALL } from '../testing/parties.js';
import { FUNDING_TXID, paymentOf, readyMessage } from '../testing/stages.js';

const seller = party(7);
const buyer = party(8);

const messages: Message[] = [
  { type: 'observe' },
  { type: 'buy', terms: BUYER_TERMS },
  { type: 'sell', terms: SELLER_TERMS, index: 0 },
  { type: 'sell', terms: SELLER_TERMS, index: 1 },
  { type: 'join_contract', index: 0 },
  { type: 'joining_contract', sellerPublicKey: seller.publicKey, sellerKeyHash: seller.keyHash },
  readyMessage(10_600n),
  { type: 'request_full_piece', piece: 3 },
  { type: 'request_full_piece', piece: 9 },
  { type: 'full_piece', data: new Uint8Array(100) },
  paymentOf(1),
  paymentOf(2),
  { type: 'speedTestRequest', size: 9 },
  { type: 'speedTestPayload', data: new Uint8Array(9) },
];

const frames = messages.map((message): ConnectionEvent => ({
  type: 'received',
  id: MESSAGE_ID[message.type],
  payload: encodePayload(message),
}));

const { publicKey: sellerPublicKey, keyHash: sellerKeyHash } = seller;
const funding = {
  valueSat: 10_600n,
  outpoint: { txid: FUNDING_TXID, index: 1 },
  buyerPublicKey: buyer.publicKey,
  buyerKeyHash: buyer.keyHash,
  sign: buyer.sign,
};

const hostEvents: ConnectionEvent[] = [
  { type: 'start' },
  { type: 'stop' },
  { type: 'observe' },
  { type: 'sell' },
  { type: 'buy', terms: BUYER_TERMS },
  { type: 'hold-expired' },
  { type: 'quote', terms: SELLER_TERMS },
  { type: 'join-accepted', invitation: 1, sellerPublicKey, sellerKeyHash },
  { type: 'join-refused', invitation: 2, revisedTerms: { ...SELLER_TERMS, minPrice: 1n } },
  { type: 'funding-verdict', verdict: { kind: 'serve-all' } },
  { type: 'funding-verdict', verdict: { kind: 'serve-bytes', allowanceBytes: 150 } },
  { type: 'piece-loaded', entry: 1 },
  { type: 'piece-loaded', entry: 2 },
  { type: 'payments-stored', paymentNumber: 1 },
  { type: 'pause-serving' },
  { type: 'resume-serving' },
  { type: 'test-speed', sizeBytes: 9 },
  { type: 'invite' },
  { type: 'contract-ready', funding },
  { type: 'request-piece', piece: 3 },
  { type: 'piece-good', piece: 3 },
  { type: 'pay-outstanding' },
];

/** The order in which a sale goes, so that random runs get far. */
const SALE: ConnectionEvent[] = [
  { type: 'sell' },
  { type: 'start' },
  { type: 'received', id: 0, payload: INSTALL },
  frames[1]!,
  { type: 'quote', terms: SELLER_TERMS },
  frames[4]!,
  { type: 'join-accepted', invitation: 1, sellerPublicKey, sellerKeyHash },
  frames[6]!,
  { type: 'funding-verdict', verdict: { kind: 'serve-all' } },
  frames[7]!,
  { type: 'piece-loaded', entry: 1 },
  frames[10]!,
];

const PURCHASE: ConnectionEvent[] = [
  { type: 'buy', terms: BUYER_TERMS },
  { type: 'start' },
  { type: 'received', id: 0, payload: INSTALL },
  frames[2]!,
  { type: 'invite' },
  frames[5]!,
  { type: 'contract-ready', funding },
  { type: 'request-piece', piece: 3 },
  frames[9]!,
  { type: 'piece-good', piece: 3 },
];

const anyEvent = fc.oneof(
  fc.constantFrom(...frames, ...hostEvents),
  fc.constantFrom<ConnectionEvent>(
    { type: 'received', id: 0, payload: INSTALL },
    { type: 'received', id: 0, payload: UNINSTALL },
  ),
  fc.record({
    type: fc.constant('received' as const),
    id: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 60, max: 70 }) }, fc.nat({ max: 255 })),
    payload: fc.uint8Array({ maxLength: 120 }),
  }),
);

describe('any connection, whatever happens to it', () => {
  const play = fc.record({
    opening: fc.constantFrom(SALE, PURCHASE),
    steps: fc.nat({ max: SALE.length }),
    events: fc.array(anyEvent, { maxLength: 25 }),
  });

  it('never throws, speaks only inside the session, closes once, ends each channel once', () => {
    fc.assert(
      fc.property(play, ({ opening, steps, events }) => {
        const probe = new Probe();
        let closed = false;
        let funded = 0;
        let ended = 0;
        for (const event of [...opening.slice(0, steps), ...events, { type: 'disconnected' } as const]) {
          const wasInSession = inSession(probe.conn.extension);
          const effects = probe.step(event);
          const spoke = only(effects, 'send').length + only(effects, 'deliver-piece').length > 0;
          expect(spoke && !wasInSession && !inSession(probe.conn.extension)).toBe(false);
          expect(closed && effects.length > 0).toBe(false);
          closed ||= only(effects, 'close').length > 0;
          expect(only(effects, 'close').length).toBeLessThanOrEqual(1);
          funded += only(effects, 'funding-announced').length;
          ended += only(effects, 'channel-ended').length;
          expect(ended).toBeLessThanOrEqual(funded);
        }
        expect(ended).toBe(funded);
      }),
      { numRuns: 1500 },
    );
  });
});
