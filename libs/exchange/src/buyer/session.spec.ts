import { encodePayload, MESSAGE_ID, type Message } from '@seedfleet/wire';
import { describe, expect, it } from 'vitest';

import type { Effect } from '../effects.js';
import { BUYER_TERMS, ecdsa, INSTALL, party, SELLER_TERMS, STRICT_PEER, TORRENT } from '../testing/parties.js';
import { buyerSessionStatus } from './session-status.js';
import type { BuyerSessionState } from './session-state.js';
import type { BuyerSessionConfig, BuyerSessionEffect, BuyerSessionEvent } from './session-types.js';
import { createBuyerSession, stepBuyerSession } from './session.js';

class Buyer {
  private session: BuyerSessionState;

  constructor(config: Partial<BuyerSessionConfig> = {}) {
    this.session = createBuyerSession({
      network: 'regtest',
      torrent: TORRENT,
      ecdsa,
      terms: BUYER_TERMS,
      sellers: 1,
      speedTestBytes: undefined,
      maxOpenRequests: 4,
      ...config,
    });
  }

  step(event: BuyerSessionEvent): BuyerSessionEffect[] {
    const { state, effects } = stepBuyerSession(this.session, event);
    this.session = state;
    return effects;
  }

  recv(connection: number, message: Message, atMs = 0): BuyerSessionEffect[] {
    const event = { type: 'received', id: MESSAGE_ID[message.type], payload: encodePayload(message) } as const;
    return this.step({ type: 'transport', connection, event, atMs });
  }

  drop(connection: number): BuyerSessionEffect[] {
    return this.step({ type: 'transport', connection, event: { type: 'disconnected' }, atMs: 0 });
  }

  /** A seller that has installed and announced its terms. */
  meet(connection: number, terms = SELLER_TERMS as Extract<Message, { type: 'sell' }>['terms']): BuyerSessionEffect[] {
    this.step({ type: 'connected', connection, peer: STRICT_PEER });
    const event = { type: 'received', id: 0, payload: INSTALL } as const;
    this.step({ type: 'transport', connection, event, atMs: 0 });
    return this.recv(connection, { type: 'sell', terms, index: 0 });
  }

  join(connection: number): BuyerSessionEffect[] {
    const { publicKey, keyHash } = party(connection);
    return this.recv(connection, { type: 'joining_contract', sellerPublicKey: publicKey, sellerKeyHash: keyHash });
  }

  /** From `choose` to the broadcast, each output worth so many pieces. */
  fund(pieces = 10n): BuyerSessionEffect[] {
    const [prepare] = of(this.step({ type: 'choose' }), 'prepare-contract');
    const { contract, sellers } = prepare!;
    const fundings = sellers.map(({ connection }, index) => {
      const { publicKey, keyHash, sign } = party(100 + connection);
      const outpoint = { txid: new Uint8Array(32), index };
      const valueSat = 1000n * pieces + 600n;
      return { connection, valueSat, outpoint, buyerPublicKey: publicKey, buyerKeyHash: keyHash, sign };
    });
    this.step({ type: 'contract-prepared', contract, fundings });
    this.step({ type: 'refunds-stored', contract });
    return this.step({ type: 'contract-broadcast', contract });
  }

  deliver(connection: number, piece: number, good = true): BuyerSessionEffect[] {
    this.recv(connection, { type: 'full_piece', data: new Uint8Array(100) });
    return this.step({ type: 'piece-verdict', connection, piece, good });
  }

  get status() {
    return buyerSessionStatus(this.session);
  }
}

function of<T extends BuyerSessionEffect['type']>(effects: BuyerSessionEffect[], type: T) {
  return effects.filter((effect): effect is Extract<BuyerSessionEffect, { type: T }> => effect.type === type);
}

function on(effects: BuyerSessionEffect[], connection: number): Effect[] {
  return of(effects, 'connection').flatMap((wrapped) => (wrapped.connection === connection ? [wrapped.effect] : []));
}

/** Messages sent on one connection, requests as piece numbers. */
function messages(effects: BuyerSessionEffect[], connection: number): (string | number)[] {
  return on(effects, connection).flatMap((effect): (string | number)[] => {
    if (effect.type !== 'send') return [];
    return effect.message.type === 'request_full_piece' ? [effect.message.piece] : [effect.message.type];
  });
}

describe('choosing sellers', () => {
  it('invites whoever fits, after a speed test if one is wanted, and measures it', () => {
    const buyer = new Buyer({ speedTestBytes: 8 });
    expect(messages(buyer.meet(1), 1)).toEqual(['speedTestRequest']);
    expect(messages(buyer.recv(1, { type: 'speedTestPayload', data: new Uint8Array(8) }, 70), 1)).toEqual([
      'join_contract',
    ]);
    expect(buyer.status.links[0]?.latencyMs).toBe(70);
  });

  it('leaves out whoever does not fit, until it does', () => {
    const buyer = new Buyer();
    expect(messages(buyer.meet(1, { ...SELLER_TERMS, minPrice: 1001n }), 1)).toEqual([]);
    const better = buyer.recv(1, { type: 'sell', terms: SELLER_TERMS, index: 1 });
    expect(messages(better, 1)).toEqual(['join_contract']);
  });

  it('prefers the fastest, then the cheapest', () => {
    const buyer = new Buyer({ speedTestBytes: 8, sellers: 2 });
    const latencies = [50, 10, 50, 90];
    const prices = [1000n, 1000n, 900n, 100n];
    latencies.forEach((latencyMs, connection) => {
      buyer.meet(connection, { ...SELLER_TERMS, minPrice: prices[connection]! });
      buyer.recv(connection, { type: 'speedTestPayload', data: new Uint8Array(8) }, latencyMs);
      buyer.join(connection);
    });
    const [prepare] = of(buyer.step({ type: 'choose' }), 'prepare-contract');
    expect(prepare?.sellers.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it('takes no more sellers than each of them tolerates, and no fewer than its terms ask for', () => {
    const buyer = new Buyer({ sellers: 2 });
    for (const connection of [1, 2]) {
      buyer.meet(connection, { ...SELLER_TERMS, maxSellers: 1 });
      buyer.join(connection);
    }
    const [prepare] = of(buyer.step({ type: 'choose' }), 'prepare-contract');
    expect(prepare?.sellers).toHaveLength(1);
    const strict = new Buyer({ sellers: 2, terms: { ...BUYER_TERMS, minNumberOfSellers: 2 } });
    strict.meet(1);
    strict.join(1);
    expect(of(strict.step({ type: 'choose' }), 'not-enough-sellers')).toEqual([
      { type: 'not-enough-sellers', joined: 1, needed: 2 },
    ]);
  });

  it('gives up the contract when a chosen seller leaves before the broadcast', () => {
    const buyer = new Buyer();
    buyer.meet(1);
    buyer.join(1);
    const [prepare] = of(buyer.step({ type: 'choose' }), 'prepare-contract');
    expect(of(buyer.drop(1), 'abandon-contract')).toEqual([{ type: 'abandon-contract', contract: 1 }]);
    const late = buyer.step({ type: 'contract-prepared', contract: prepare!.contract, fundings: [] });
    expect(late).toEqual([]);
  });

  it('goes on with the others when one leaves during the broadcast', () => {
    const buyer = new Buyer({ sellers: 2 });
    for (const connection of [1, 2]) {
      buyer.meet(connection);
      buyer.join(connection);
    }
    const [prepare] = of(buyer.step({ type: 'choose' }), 'prepare-contract');
    const fundings = prepare!.sellers.map(({ connection }, index) => {
      const { publicKey, keyHash, sign } = party(100 + connection);
      const outpoint = { txid: new Uint8Array(32), index };
      return { connection, valueSat: 10_600n, outpoint, buyerPublicKey: publicKey, buyerKeyHash: keyHash, sign };
    });
    const stored = of(buyer.step({ type: 'contract-prepared', contract: 1, fundings }), 'store-refunds');
    expect(stored[0]?.refunds.map(({ lockUnits, valueSat }) => [lockUnits, valueSat])).toEqual([
      [20, 10_600n],
      [20, 10_600n],
    ]);
    expect(of(buyer.step({ type: 'refunds-stored', contract: 1 }), 'broadcast-contract')).toHaveLength(1);
    buyer.drop(1);
    expect(messages(buyer.step({ type: 'contract-broadcast', contract: 1 }), 2)).toEqual(['ready', 0, 1, 2, 3]);
  });
});

describe('downloading', () => {
  const loading = (config: Partial<BuyerSessionConfig> = {}, pieces = 10n) => {
    const buyer = new Buyer(config);
    for (let connection = 1; connection <= (config.sellers ?? 1); connection += 1) {
      buyer.meet(connection);
      buyer.join(connection);
    }
    return { buyer, effects: buyer.fund(pieces) };
  };

  it('keeps four requests open, pays, then asks for the next', () => {
    const { buyer, effects } = loading();
    expect(messages(effects, 1)).toEqual(['ready', 0, 1, 2, 3]);
    expect(messages(buyer.deliver(1, 0), 1)).toEqual(['payment', 4]);
  });

  it('spreads a short torrent over its sellers', () => {
    const { effects } = loading({ sellers: 2, torrent: { pieces: 4, pieceLengthBytes: 100, totalBytes: 400 } });
    expect(messages(effects, 1)).toEqual(['ready', 0, 2]);
    expect(messages(effects, 2)).toEqual(['ready', 1, 3]);
  });

  it('reassigns the pieces of a seller that left', () => {
    const { buyer } = loading({ sellers: 2 });
    buyer.drop(1);
    expect(messages(buyer.deliver(2, 1), 2)).toEqual(['payment', 0]);
  });

  it('closes on a bad piece and asks another seller for it', () => {
    const { buyer } = loading({ sellers: 2 });
    buyer.deliver(2, 1);
    const effects = buyer.deliver(1, 0, false);
    expect(on(effects, 1).find((effect) => effect.type === 'close')).toMatchObject({ code: 'piece-invalid' });
    expect(messages(buyer.deliver(2, 3), 2)).toEqual(['payment', 0]);
  });

  it('goes back to inviting when all sellers are gone', () => {
    const { buyer } = loading();
    expect(of(buyer.drop(1), 'all-sellers-gone')).toEqual([{ type: 'all-sellers-gone', missing: 10 }]);
    expect(messages(buyer.meet(2), 2)).toEqual(['join_contract']);
  });

  it('asks no seller for more than its output can pay', () => {
    const { buyer, effects } = loading({}, 2n);
    expect(messages(effects, 1)).toEqual(['ready', 0, 1]);
    buyer.deliver(1, 0);
    expect(of(buyer.deliver(1, 1), 'all-sellers-gone')).toEqual([{ type: 'all-sellers-gone', missing: 8 }]);
  });

  it('asks for preferred pieces first, and not for those obtained elsewhere', () => {
    const { buyer } = loading();
    buyer.step({ type: 'prefer', pieces: [9, 4] });
    buyer.step({ type: 'piece-obtained', piece: 9 });
    expect(messages(buyer.deliver(1, 0), 1)).toEqual(['payment', 4]);
  });

  it('pays for open requests on completion, and observes only when told', () => {
    const { buyer } = loading({ have: [2, 3, 4, 5, 6, 7, 8, 9] });
    buyer.deliver(1, 0);
    const effects = buyer.step({ type: 'piece-obtained', piece: 1 });
    expect(messages(effects, 1)).toEqual(['payment']);
    expect(of(effects, 'complete')).toHaveLength(1);
    expect(messages(buyer.step({ type: 'observe' }), 1)).toEqual(['observe']);
    expect(buyer.status.phase).toBe('complete');
  });

  it('pays what is outstanding and closes when told to finish', () => {
    const { buyer } = loading();
    const effects = on(buyer.step({ type: 'finish', reason: 'operator' }), 1);
    expect(effects.filter((effect) => effect.type === 'send')).toHaveLength(4);
    expect(effects.at(-1)).toMatchObject({ type: 'close', code: 'local', reason: 'operator' });
  });

  it('admits no seller into a running contract', () => {
    const { buyer } = loading();
    expect(messages(buyer.meet(2), 2)).toEqual([]);
  });
});

describe('assigning pieces', () => {
  /** Two funded sellers; the first needs 10 ms for a piece, the second more. */
  function fastAndSlow(): Buyer {
    const buyer = new Buyer({ sellers: 2, maxOpenRequests: 2 });
    for (const connection of [1, 2]) {
      buyer.meet(connection);
      buyer.join(connection);
    }
    buyer.fund();
    return buyer;
  }

  it('leaves the last pieces to a seller that is so much faster', () => {
    const buyer = fastAndSlow();
    const asked = { 1: 2, 2: 2 };
    const deliver = (connection: 1 | 2, piece: number, atMs: number) => {
      buyer.recv(connection, { type: 'full_piece', data: new Uint8Array(100) }, atMs);
      const effects = buyer.step({ type: 'piece-verdict', connection, piece, good: true });
      for (const id of [1, 2] as const) asked[id] += messages(effects, id).filter((m) => typeof m === 'number').length;
    };
    // The first requests went out in turn: even pieces to the first, odd ones to the second.
    deliver(1, 0, 10);
    deliver(1, 2, 20);
    deliver(1, 4, 30);
    deliver(2, 1, 35);
    expect(asked[2]).toBe(2);
    for (let piece = 5; piece < TORRENT.pieces; piece += 1) deliver(1, piece, 10 * (piece - 1));
    expect(asked).toEqual({ 1: 8, 2: 2 });
    expect(buyer.status.missing).toBe(1);
  });

  it('asks nobody for a piece that the host has set aside, until it is put back', () => {
    const buyer = new Buyer();
    buyer.step({ type: 'set-aside', piece: 0 });
    buyer.meet(1);
    buyer.join(1);
    const requests = messages(buyer.fund(), 1).filter((message) => message !== 'ready');
    expect(requests).toEqual([1, 2, 3, 4]);
    buyer.step({ type: 'put-back', piece: 0 });
    expect(messages(buyer.deliver(1, 1), 1)).toEqual(['payment', 0]);
  });
});
