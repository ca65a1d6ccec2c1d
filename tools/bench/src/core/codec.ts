import { bestEcdsa } from '@seedfleet/payment-channel';
import { decodeMessage, encodeFrame, encodePayload, MESSAGE_ID, type Message } from '@seedfleet/wire';
import { aim, keep, perSecondText, print, rate, speedRatio } from '../measure.js';
import { BUYER_TERMS, CHANNEL, SELLER_TERMS, signPayments } from './channel.js';

const OPERATIONS = 100_000;
const POINT_CHECKS = 200;
const WANTED = 500_000;

const messages = (): Message[] => [
  { type: 'observe' },
  { type: 'buy', terms: BUYER_TERMS },
  { type: 'sell', terms: SELLER_TERMS, index: 3 },
  { type: 'join_contract', index: 3 },
  { type: 'request_full_piece', piece: 986 },
  { type: 'payment', signature: signPayments(1)[0]!.der },
  { type: 'speedTestRequest', size: 500_000 },
];

const messagesWithKeys = (): Message[] => [
  { type: 'joining_contract', sellerPublicKey: CHANNEL.sellerPublicKey, sellerKeyHash: CHANNEL.sellerKeyHash },
  {
    type: 'ready',
    value: CHANNEL.fundingValueSat,
    outpoint: CHANNEL.fundingOutpoint,
    buyerPublicKey: CHANNEL.buyerPublicKey,
    buyerKeyHash: CHANNEL.buyerKeyHash,
  },
];

const { isPoint } = bestEcdsa();

const decodeRate = (message: Message): number => {
  const id = MESSAGE_ID[message.type];
  const payload = encodePayload(message);
  return rate(OPERATIONS, () => {
    for (let n = 0; n < OPERATIONS; n += 1) keep(decodeMessage(id, payload, isPoint));
  });
};

const encodeRate = (message: Message): number =>
  rate(OPERATIONS, () => {
    for (let n = 0; n < OPERATIONS; n += 1) keep(encodeFrame(message));
  });

/** Control messages in and out; those with a public key are held against the bare check of a point. */
export const codec = (): boolean => {
  let reached = true;
  for (const message of messages()) {
    const decode = decodeRate(message);
    const encode = encodeRate(message);
    reached = aim(`decode ${message.type}`, perSecondText(decode), decode >= WANTED, '≥ 500,000/s') && reached;
    reached = aim(`encode ${message.type}`, perSecondText(encode), encode >= WANTED, '≥ 500,000/s') && reached;
  }
  const bare = (): void => {
    for (let n = 0; n < POINT_CHECKS; n += 1) keep(isPoint(CHANNEL.buyerPublicKey));
  };
  print('bare point check'.padEnd(44) + perSecondText(rate(POINT_CHECKS, bare)).padStart(17));
  for (const message of messagesWithKeys()) {
    const id = MESSAGE_ID[message.type];
    const payload = encodePayload(message);
    const ratio = speedRatio(bare, () => {
      for (let n = 0; n < POINT_CHECKS; n += 1) keep(decodeMessage(id, payload, isPoint));
    });
    const encode = encodeRate(message);
    reached = aim(`decode ${message.type} / point check`, ratio.toFixed(3), ratio >= 0.8, '≥ 0.8') && reached;
    reached = aim(`encode ${message.type}`, perSecondText(encode), encode >= WANTED, '≥ 500,000/s') && reached;
  }
  return reached;
};
