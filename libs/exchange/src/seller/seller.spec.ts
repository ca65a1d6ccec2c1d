import { describe, expect, it } from 'vitest';

import { inboundLimitBytes } from '../limits.js';
import {
  BUYER_TERMS,
  closeCode,
  connectionConfig,
  only,
  party,
  Probe,
  SELLER_TERMS,
  sent,
} from '../testing/parties.js';
import { joinedProbe, readyMessage, sellingProbe, servingProbe } from '../testing/stages.js';

const cheaper = { ...SELLER_TERMS, minPrice: 900n };

function announced(limits = {}): Probe {
  const probe = new Probe(connectionConfig(limits));
  probe.step({ type: 'sell' });
  probe.step({ type: 'start' });
  return probe;
}

describe('announcing terms', () => {
  it("holds sell until the peer's buy arrives", () => {
    const probe = announced();
    expect(probe.shake().map((effect) => effect.type)).toEqual(['session-joined', 'sell-held']);
    expect(only(probe.recv({ type: 'observe' }), 'quote-wanted')).toEqual([]);
    const asked = only(probe.recv({ type: 'buy', terms: BUYER_TERMS }), 'quote-wanted');
    expect(asked).toEqual([{ type: 'quote-wanted', buyerTerms: BUYER_TERMS }]);
    expect(sent(probe.step({ type: 'quote', terms: SELLER_TERMS }))).toEqual([
      { type: 'sell', terms: SELLER_TERMS, index: 0 },
    ]);
  });

  it('stops holding when the host says so', () => {
    const probe = announced();
    probe.shake();
    expect(probe.step({ type: 'hold-expired' })).toEqual([{ type: 'quote-wanted' }]);
  });

  it('asks at once without a hold', () => {
    expect(only(announced({ holdSell: false }).shake(), 'quote-wanted')).toHaveLength(1);
  });

  it('counts the index up with every revision, and from 0 after leaving sell mode', () => {
    const probe = sellingProbe();
    expect(sent(probe.step({ type: 'quote', terms: cheaper }))).toEqual([{ type: 'sell', terms: cheaper, index: 1 }]);
    probe.step({ type: 'observe' });
    probe.step({ type: 'sell' });
    expect(sent(probe.step({ type: 'quote', terms: cheaper }))).toEqual([{ type: 'sell', terms: cheaper, index: 0 }]);
  });

  it('revises terms of an invited peer, never of a joined or served one (H4, H20)', () => {
    const invited = sellingProbe();
    invited.recv({ type: 'join_contract', index: 0 });
    const effects = invited.step({ type: 'quote', terms: cheaper });
    expect(only(effects, 'join-lapsed')).toEqual([
      { type: 'join-lapsed', invitation: 1, joined: false, reason: 'terms-revised' },
    ]);
    expect(sent(effects)).toHaveLength(1);
    for (const probe of [joinedProbe(), servingProbe()]) {
      expect(probe.step({ type: 'quote', terms: cheaper })).toEqual([{ type: 'note', code: 'event-stale' }]);
    }
  });
});

describe('speed test', () => {
  it('is answered once, to a compatible buyer', () => {
    const probe = sellingProbe();
    expect(only(probe.recv({ type: 'speedTestRequest', size: 2_000_000 }), 'speed-test-wanted')).toEqual([
      { type: 'speed-test-wanted', id: 70, sizeBytes: 2_000_000 },
    ]);
    const second = probe.recv({ type: 'speedTestRequest', size: 1 });
    expect(only(second, 'close')).toEqual([{ type: 'close', code: 'speed-test-repeated', penalise: true }]);
  });

  it('is refused when too large', () => {
    const effects = sellingProbe().recv({ type: 'speedTestRequest', size: 2_000_001 });
    expect(only(effects, 'close')).toEqual([{ type: 'close', code: 'speed-test-too-large', penalise: true }]);
  });

  it('closes on a non-buyer without penalty', () => {
    const probe = sellingProbe();
    probe.recv({ type: 'observe' });
    const effects = probe.recv({ type: 'speedTestRequest', size: 1 });
    expect(only(effects, 'close')).toEqual([{ type: 'close', code: 'speed-test-from-non-buyer', penalise: false }]);
  });

  it('is ignored for a buyer that could not buy (H32), and does not use up the one test', () => {
    const probe = sellingProbe();
    probe.recv({ type: 'buy', terms: { ...BUYER_TERMS, maxPrice: 999n } });
    expect(probe.recv({ type: 'speedTestRequest', size: 1 })).toEqual([
      { type: 'note', code: 'speed-test-unfit', message: 'speedTestRequest' },
    ]);
    probe.recv({ type: 'buy', terms: BUYER_TERMS });
    expect(only(probe.recv({ type: 'speedTestRequest', size: 1 }), 'speed-test-wanted')).toHaveLength(1);
  });

  it('is dropped once invited', () => {
    const probe = sellingProbe();
    probe.recv({ type: 'join_contract', index: 0 });
    expect(only(probe.recv({ type: 'speedTestRequest', size: 1 }), 'note')[0]?.code).toBe('message-ignored');
  });
});

describe('joining', () => {
  it('asks the host, then sends the keys', () => {
    const probe = sellingProbe();
    expect(probe.recv({ type: 'join_contract', index: 0 })).toEqual([
      { type: 'join-wanted', invitation: 1, buyerTerms: BUYER_TERMS, sellerTerms: SELLER_TERMS, index: 0 },
    ]);
    const { publicKey: sellerPublicKey, keyHash: sellerKeyHash } = party(7);
    const effects = probe.step({ type: 'join-accepted', invitation: 1, sellerPublicKey, sellerKeyHash });
    expect(sent(effects)).toEqual([{ type: 'joining_contract', sellerPublicKey, sellerKeyHash }]);
  });

  it('drops an outdated index and keeps the connection', () => {
    const probe = sellingProbe();
    expect(probe.recv({ type: 'join_contract', index: 5 })).toEqual([
      { type: 'note', code: 'invitation-outdated', message: 'join_contract' },
    ]);
    expect(only(probe.recv({ type: 'join_contract', index: 0 }), 'join-wanted')).toHaveLength(1);
  });

  it('drops an invitation whose buy does not fit and keeps the connection', () => {
    const probe = sellingProbe();
    probe.recv({ type: 'buy', terms: { ...BUYER_TERMS, maxLock: 19 } });
    expect(probe.recv({ type: 'join_contract', index: 0 })).toEqual([
      { type: 'note', code: 'invitation-unfit', message: 'join_contract' },
    ]);
  });

  it('closes on an invitation by a non-buyer', () => {
    const probe = sellingProbe();
    probe.recv({ type: 'observe' });
    expect(closeCode(probe.recv({ type: 'join_contract', index: 0 }))).toBe('join-from-non-buyer');
  });

  it('forgets an invitation when the peer changes its mode, and a late answer with it', () => {
    const probe = sellingProbe();
    probe.recv({ type: 'join_contract', index: 0 });
    const lapsed = only(probe.recv({ type: 'buy', terms: BUYER_TERMS }), 'join-lapsed');
    expect(lapsed).toEqual([{ type: 'join-lapsed', invitation: 1, joined: false, reason: 'peer-mode-message' }]);
    const { publicKey: sellerPublicKey, keyHash: sellerKeyHash } = party(7);
    probe.recv({ type: 'join_contract', index: 0 });
    const late = probe.step({ type: 'join-accepted', invitation: 1, sellerPublicKey, sellerKeyHash });
    expect(late).toEqual([{ type: 'note', code: 'event-stale' }]);
    expect(sent(probe.step({ type: 'join-accepted', invitation: 2, sellerPublicKey, sellerKeyHash }))).toHaveLength(1);
  });

  it('forgets a join when the peer changes its mode', () => {
    const lapsed = only(joinedProbe().recv({ type: 'observe' }), 'join-lapsed');
    expect(lapsed).toEqual([{ type: 'join-lapsed', invitation: 1, joined: true, reason: 'peer-mode-message' }]);
  });

  it('answers a refusal with terms that changed, else with a close, never by repeating itself', () => {
    const invited = () => {
      const probe = sellingProbe();
      probe.recv({ type: 'join_contract', index: 0 });
      return probe;
    };
    const revised = invited().step({ type: 'join-refused', invitation: 1, revisedTerms: cheaper });
    expect(sent(revised)).toEqual([{ type: 'sell', terms: cheaper, index: 1 }]);
    const same = invited().step({ type: 'join-refused', invitation: 1, revisedTerms: { ...SELLER_TERMS } });
    expect(closeCode(same)).toBe('join-refused');
    expect(closeCode(invited().step({ type: 'join-refused', invitation: 1 }))).toBe('join-refused');
  });

  it('closes a stale quote before it is funded', () => {
    const effects = joinedProbe().step({ type: 'end-channel', reason: 'stale-quote' });
    expect(effects.map((effect) => effect.type)).toEqual(['join-lapsed', 'close']);
  });

  it.each(['request_full_piece', 'payment', 'ready'] as const)('drops %s before its time', (type) => {
    const message =
      type === 'ready'
        ? readyMessage(10_600n)
        : type === 'payment'
          ? ({ type, signature: new Uint8Array(70) } as const)
          : ({ type, piece: 0 } as const);
    expect(only(sellingProbe().recv(message), 'note')[0]?.code).toBe('message-ignored');
  });
});

describe('ready', () => {
  it('announces the funding with the terms of the accepted quote', () => {
    const [effect] = only(joinedProbe().recv(readyMessage(10_600n)), 'funding-announced');
    expect(effect?.parameters).toMatchObject({
      network: 'regtest',
      priceSat: 1000n,
      lockUnits: 20,
      settlementFeeSat: 450n,
      fundingValueSat: 10_600n,
    });
  });

  it.each([
    ['funding-value-out-of-range', 0n],
    ['funding-value-out-of-range', 2_100_000_000_000_001n],
    ['funding-too-small', 1545n],
  ])('closes: %s', (code, valueSat) => {
    const effects = joinedProbe().recv(readyMessage(valueSat));
    expect(only(effects, 'join-lapsed')).toHaveLength(1);
    expect(only(effects, 'close')).toEqual([{ type: 'close', code, penalise: false }]);
  });

  it('closes when the buyer echoes our key', () => {
    const message = { ...readyMessage(10_600n), buyerPublicKey: party(7).publicKey };
    expect(closeCode(joinedProbe().recv(message as never))).toBe('funding-keys-equal');
  });
});

describe('inbound size', () => {
  it('is bounded for every JoyStream id toward a seller', () => {
    const { conn } = servingProbe();
    for (let id = 60; id <= 70; id += 1) {
      expect(inboundLimitBytes(conn, id)).toBe(256);
      expect(inboundLimitBytes(announced().conn, id)).toBe(256);
    }
    expect(inboundLimitBytes(conn, 0)).toBe(65_536);
  });

  it('closes when the bound is passed', () => {
    const probe = servingProbe();
    expect(closeCode(probe.step({ type: 'received-oversized', id: 67 }))).toBe('message-too-large');
    const other = servingProbe();
    expect(closeCode(other.step({ type: 'received', id: 60, payload: new Uint8Array(257) }))).toBe('message-too-large');
  });

  it('tolerates trailing bytes and counts them', () => {
    const effects = sellingProbe().step({ type: 'received', id: 60, payload: new Uint8Array(5) });
    expect(only(effects, 'note')[0]).toEqual({ type: 'note', code: 'trailing-bytes', message: 'observe' });
  });
});
