import { describe, expect, it } from 'vitest';
import { decodeMessage } from './decode.js';
import { encodeFrame, encodePayload } from './encode.js';
import malformed from './fixtures/malformed-payloads.json' with { type: 'json' };
import toy from './fixtures/toy-vectors.json' with { type: 'json' };
import { MESSAGE_ID } from './message-ids.js';
import { MESSAGE_NAMES, type Message } from './messages.js';
import { bytesOf, hexOf } from './testing/hex.js';

/** Every X of the fixtures' malformed keys is all ones, which is above the field's prime. */
const isOnCurve = (publicKey: Uint8Array): boolean => publicKey[1] !== 0xff;

/** The message as the fixtures spell it: bytes in hex, bigint as decimal strings. */
const spelled = (message: Message): unknown =>
  JSON.parse(
    JSON.stringify(message, (_, value: unknown) => {
      if (typeof value === 'bigint') return value.toString();
      return value instanceof Uint8Array ? hexOf(value) : value;
    }),
  );

const sell: Message = {
  type: 'sell',
  terms: { minContractFeePerKb: 0n, minLock: 0, minPrice: 0n, maxSellers: 0, settlementFee: 0n },
  index: 0,
};

describe('the eleven messages', () => {
  it.each(toy.frames)('reads and writes $message as the reference does', ({ message, id, frame, fields }) => {
    const bytes = bytesOf(frame);
    const decoded = decodeMessage(id, bytes.subarray(6), isOnCurve);
    if (!decoded.ok) throw new Error(decoded.code);
    expect(spelled(decoded.message)).toEqual({ type: message, ...fields });
    expect(decoded.trailingBytes).toBe(0);
    const { header, body } = encodeFrame(decoded.message);
    expect(hexOf(header) + hexOf(body ?? new Uint8Array())).toBe(frame);
    expect(hexOf(encodePayload(decoded.message))).toBe(frame.slice(12));
  });

  it('has a vector for each name', () => {
    expect(toy.frames.map(({ message }) => message)).toEqual(MESSAGE_NAMES);
  });

  it.each(malformed)('refuses $message: $description', ({ message, payload, code, field }) => {
    const decoded = decodeMessage(MESSAGE_ID[message as keyof typeof MESSAGE_ID], bytesOf(payload), isOnCurve);
    expect(decoded).toMatchObject({ ok: false, message, code, field });
  });

  it('refuses ids that are not ours', () => {
    for (const id of [0, 1, 20, 59, 71, 255, -1, 60.5, Number.NaN]) {
      expect(decodeMessage(id, new Uint8Array(), isOnCurve)).toMatchObject({ ok: false, code: 'unknown-message-id' });
    }
  });

  it('reads a piece index above 2^31 as negative, as the reference does', () => {
    const decoded = decodeMessage(MESSAGE_ID.request_full_piece, bytesOf('80000000'), isOnCurve);
    expect(decoded).toMatchObject({ message: { piece: -(2 ** 31) } });
  });

  it('hands a piece through without a copy, in and out', () => {
    const payload = new Uint8Array(4 + 1024);
    payload[2] = 4;
    const decoded = decodeMessage(MESSAGE_ID.full_piece, payload, isOnCurve);
    if (!decoded.ok || decoded.message.type !== 'full_piece') throw new Error('not a piece');
    expect(decoded.message.data.buffer).toBe(payload.buffer);
    expect(encodeFrame(decoded.message).body).toBe(decoded.message.data);
  });

  it('decodes a payload that lies inside a larger buffer', () => {
    const frame = bytesOf(toy.frames[2]!.frame);
    const inside = new Uint8Array(100);
    inside.set(frame, 17);
    const decoded = decodeMessage(MESSAGE_ID.sell, inside.subarray(23, 17 + frame.length), isOnCurve);
    expect(decoded).toEqual(decodeMessage(MESSAGE_ID.sell, frame.subarray(6), isOnCurve));
  });

  it('writes the ids it is given', () => {
    expect(encodeFrame({ type: 'observe' }, { ...MESSAGE_ID, observe: 7 }).header[5]).toBe(7);
    expect(() => encodeFrame({ type: 'observe' }, { ...MESSAGE_ID, observe: 0 })).toThrow(RangeError);
    expect(() => encodeFrame({ type: 'observe' }, { ...MESSAGE_ID, observe: 256 })).toThrow(RangeError);
  });

  it.each<[string, Message]>([
    ['a negative amount', { ...sell, terms: { ...sell.terms, minPrice: -1n } }],
    ['an amount above 64 bits', { ...sell, terms: { ...sell.terms, settlementFee: 2n ** 64n } }],
    ['a lock above 16 bits', { ...sell, terms: { ...sell.terms, minLock: 65_536 } }],
    ['a fraction', { ...sell, index: 0.5 }],
    ['a count above 32 bits', { type: 'join_contract', index: 2 ** 32 }],
    ['a piece above 31 bits', { type: 'request_full_piece', piece: 2 ** 31 }],
    [
      'a short key',
      { type: 'joining_contract', sellerPublicKey: new Uint8Array(32), sellerKeyHash: new Uint8Array(20) },
    ],
    ['a long signature', { type: 'payment', signature: new Uint8Array(74) }],
  ])('throws on %s of our own', (_, message) => {
    expect(() => encodePayload(message)).toThrow(RangeError);
    expect(() => encodeFrame(message)).toThrow(RangeError);
  });
});
