import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from './decode.js';
import { encodeFrame, encodePayload } from './encode.js';
import { FrameSplitter } from './frames.js';
import { MESSAGE_ID } from './message-ids.js';
import { readExtendedHandshake } from './extended-handshake.js';
import { arbitraryMessage } from './testing/arbitrary-messages.js';

const always = (): boolean => true;
const anyId = fc.oneof(fc.integer({ min: 60, max: 70 }), fc.integer({ min: -5, max: 300 }));

describe('message codec', () => {
  it('decodes what it encodes to the same message, and counts what follows it', () => {
    fc.assert(
      fc.property(arbitraryMessage, fc.uint8Array({ maxLength: 8 }), (message, surplus) => {
        const payload = encodePayload(message);
        const decoded = decodeMessage(MESSAGE_ID[message.type], Uint8Array.of(...payload, ...surplus), always);
        expect(decoded).toEqual({ ok: true, message, trailingBytes: surplus.length });
        expect(encodePayload(message)).toEqual(payload);
      }),
    );
  });

  it('refuses every payload cut short, with the field that is missing', () => {
    fc.assert(
      fc.property(arbitraryMessage, fc.nat(), (message, seed) => {
        const payload = encodePayload(message);
        fc.pre(payload.length > 0);
        const cut = payload.subarray(0, seed % payload.length);
        const decoded = decodeMessage(MESSAGE_ID[message.type], cut, always);
        expect(decoded).toMatchObject({ ok: false, message: message.type, presentBytes: cut.length });
      }),
    );
  });

  it('takes any bytes without throwing, and gives out only views into them', () => {
    fc.assert(
      fc.property(anyId, fc.uint8Array({ maxLength: 200 }), fc.boolean(), (id, payload, onCurve) => {
        const decoded = decodeMessage(id, payload, () => onCurve);
        if (!decoded.ok) return;
        for (const bytes of byteFields(decoded.message)) {
          expect(bytes.buffer).toBe(payload.buffer);
          expect(bytes.length).toBeLessThanOrEqual(payload.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('writes frames that a splitter takes apart again, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(arbitraryMessage, { maxLength: 6 }), fc.integer({ min: 1, max: 40 }), (messages, step) => {
        const stream = messages.flatMap((message) => {
          const { header, body } = encodeFrame(message);
          return [...header, ...(body ?? [])];
        });
        const splitter = new FrameSplitter(1000);
        const decoded = [];
        for (let at = 0; at < stream.length; at += step) {
          const split = splitter.push(Uint8Array.from(stream.slice(at, at + step)));
          expect(split.ok).toBe(true);
          expect(splitter.pendingBytes).toBeLessThanOrEqual(1000 + 4);
          for (const frame of split.frames) {
            if (frame.kind !== 'extended') throw new Error('not an extended message');
            const result = decodeMessage(frame.extendedId, frame.payload, always);
            if (!result.ok) throw new Error(result.code);
            decoded.push(result.message);
          }
        }
        expect(decoded).toEqual(messages);
      }),
    );
  });
});

describe('extended handshake reader', () => {
  it('takes any bytes without throwing', () => {
    const nearlyBencoded = fc.array(fc.constantFrom(...'0123456789delim:-.v', '2:cc3:4.0', '1:md', 'js_buy'), {
      maxLength: 60,
    });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (body) => void readExtendedHandshake(body)));
    fc.assert(
      fc.property(nearlyBencoded, (parts) => void readExtendedHandshake(new TextEncoder().encode(parts.join('')))),
      { numRuns: 2000 },
    );
  });
});

function byteFields(value: object): Uint8Array[] {
  return Object.values(value).flatMap((field: unknown) => {
    if (field instanceof Uint8Array) return [field];
    return typeof field === 'object' && field !== null ? byteFields(field) : [];
  });
}
