import {
  createConnection,
  DEFAULT_SELLER_LIMITS,
  stepConnection,
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
} from '@seedfleet/exchange';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { encodeExtendedHandshake, encodePayload, MESSAGE_ID, type Message } from '@seedfleet/wire';
import { aim, median, perSecond, perSecondText, print } from '../measure.js';
import { BUYER_TERMS, CHANNEL, SELLER_TERMS, signPayments, type Payment } from './channel.js';

const ROUNDS = 40;
const PAYMENTS_PER_ROUND = 64;
const REQUESTS_OPEN = 16;

/** A piece is small here, so that only the machine is measured. */
const TORRENT = { pieces: 4, pieceLengthBytes: 16_384, totalBytes: 4 * 16_384 };

/** A seller whose host answers everything at once; it can be told to leave the payment steps to be timed alone. */
class ServingSeller {
  #conn: ConnectionState;

  constructor() {
    this.#conn = createConnection({
      network: CHANNEL.network,
      torrent: TORRENT,
      peer: { peerId: new Uint8Array(20) },
      ecdsa: bestEcdsa(),
      seller: {
        ...DEFAULT_SELLER_LIMITS,
        window: { startPieces: REQUESTS_OPEN, paymentsPerStep: 1, maxPieces: REQUESTS_OPEN, maxBytes: 2 ** 30 },
        holdSell: false,
      },
    });
    this.feed({ type: 'sell' });
    this.feed({ type: 'start' });
    this.feed({ type: 'received', id: 0, payload: encodeExtendedHandshake({ kind: 'install' }) });
    this.receive({ type: 'buy', terms: BUYER_TERMS });
    this.receive({ type: 'join_contract', index: 0 });
    this.receive({
      type: 'ready',
      value: CHANNEL.fundingValueSat,
      outpoint: CHANNEL.fundingOutpoint,
      buyerPublicKey: CHANNEL.buyerPublicKey,
      buyerKeyHash: CHANNEL.buyerKeyHash,
    });
  }

  receive(message: Message): void {
    this.feed({ type: 'received', id: MESSAGE_ID[message.type], payload: encodePayload(message) });
  }

  feed(event: ConnectionEvent): void {
    const queue = [event];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      for (const effect of this.step(next)) queue.push(...answer(effect));
    }
  }

  step(event: ConnectionEvent): Effect[] {
    const { state, effects } = stepConnection(this.#conn, event);
    this.#conn = state;
    return effects;
  }
}

const answer = (effect: Effect): ConnectionEvent[] => {
  switch (effect.type) {
    case 'quote-wanted':
      return [{ type: 'quote', terms: SELLER_TERMS }];
    case 'join-wanted': {
      const { sellerPublicKey, sellerKeyHash } = CHANNEL;
      return [{ type: 'join-accepted', invitation: effect.invitation, sellerPublicKey, sellerKeyHash }];
    }
    case 'funding-announced':
      return [{ type: 'funding-verdict', verdict: { kind: 'serve-all' } }];
    case 'load-piece':
      return [{ type: 'piece-loaded', entry: effect.entry }];
    case 'store-payment':
      return [{ type: 'payments-stored', paymentNumber: effect.paymentNumber }];
    case 'close':
      throw new Error(`the seller closed: ${effect.code}`);
    default:
      return [];
  }
};

/** Time of the payment steps of one round; requests, pieces and the host's answers run outside the clock. */
const stepRound = (seller: ServingSeller, payloads: readonly Uint8Array[]): bigint => {
  let elapsed = 0n;
  for (let from = 0; from < payloads.length; from += REQUESTS_OPEN) {
    const batch = payloads.slice(from, from + REQUESTS_OPEN);
    batch.forEach(() => seller.receive({ type: 'request_full_piece', piece: 0 }));
    const effects: Effect[] = [];
    const start = process.hrtime.bigint();
    for (const payload of batch) {
      for (const effect of seller.step({ type: 'received', id: MESSAGE_ID.payment, payload })) effects.push(effect);
    }
    elapsed += process.hrtime.bigint() - start;
    const stored = effects.filter((effect) => effect.type === 'store-payment');
    if (stored.length !== batch.length) throw new Error('a payment was not counted');
    for (const effect of stored) for (const event of answer(effect)) seller.feed(event);
  }
  return elapsed;
};

const verifyRound = (payments: readonly Payment[]): bigint => {
  const ecdsa = bestEcdsa();
  const start = process.hrtime.bigint();
  for (const { digest, compact } of payments) {
    if (!ecdsa.verify(digest, compact, CHANNEL.buyerPublicKey)) throw new Error('a payment does not verify');
  }
  return process.hrtime.bigint() - start;
};

/**
 * The seller machine's step for a payment (decode, strict checks, digest, verify, advance) against nothing but the same
 * signature verification. Both run alternately in short rounds, so that other load on the machine hits them alike.
 */
export const sellerStep = (): boolean => {
  const payments = signPayments(ROUNDS * PAYMENTS_PER_ROUND);
  const payloads = payments.map(({ der }) => encodePayload({ type: 'payment', signature: der }));
  const seller = new ServingSeller();
  const ratios: number[] = [];
  const steps: number[] = [];
  const verifies: number[] = [];
  for (let from = 0; from < payments.length; from += PAYMENTS_PER_ROUND) {
    const verify = verifyRound(payments.slice(from, from + PAYMENTS_PER_ROUND));
    const step = stepRound(seller, payloads.slice(from, from + PAYMENTS_PER_ROUND));
    ratios.push(Number(verify) / Number(step));
    steps.push(perSecond(PAYMENTS_PER_ROUND, step));
    verifies.push(perSecond(PAYMENTS_PER_ROUND, verify));
  }
  print(`bare verify (${bestEcdsa().name})`.padEnd(44) + perSecondText(median(verifies)).padStart(17));
  print('seller step for a payment'.padEnd(44) + perSecondText(median(steps)).padStart(17));
  const ratio = median(ratios);
  return aim('seller step / bare verify', ratio.toFixed(3), ratio >= 0.7, '≥ 0.7');
};
