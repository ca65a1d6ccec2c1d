import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeExtendedHandshake, encodePayload, MESSAGE_ID, type Message, type MessageIds } from '@seedfleet/wire';
import { Fields } from '../input/fields.js';
import { Report } from '../report.js';
import { ReferenceSeller, type Reaction, type SeenHandshake } from '../testing/reference-seller.js';
import {
  BUY,
  BUYER_TERMS,
  channel,
  FILE_META,
  JOIN,
  payment,
  readyOf,
  request,
  ScriptBuilder,
  SELL,
} from '../testing/script-builder.js';
import { runScenarios } from './scenarios.js';

/** One thing a scripted peer does. */
type Move =
  | { readonly kind: 'message'; readonly message: Message; readonly ids: MessageIds }
  | { readonly kind: 'pay'; readonly skip: number }
  | { readonly kind: 'raw'; readonly id: number; readonly payload: Uint8Array }
  | { readonly kind: 'handshake'; readonly body: Uint8Array; readonly seen: SeenHandshake };

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const install = encodeExtendedHandshake({ kind: 'install' });
const installText = Buffer.from(install).toString('latin1');
const otherIds = Object.fromEntries(
  Object.entries(MESSAGE_ID).map(([name, id]) => [name, id - 40]),
) as unknown as MessageIds;
const otherText = installText.replace(/i6([0-9])e/g, 'i2$1e').replace('i70e', 'i30e');

const handshakes: readonly Move[] = [
  { kind: 'handshake', body: install, seen: { kind: 'install', ids: MESSAGE_ID } },
  { kind: 'handshake', body: latin1(otherText), seen: { kind: 'install', ids: otherIds } },
  { kind: 'handshake', body: latin1(installText.replaceAll('js_', 'xx_')), seen: { kind: 'install', ids: MESSAGE_ID } },
  { kind: 'handshake', body: encodeExtendedHandshake({ kind: 'uninstall' }), seen: { kind: 'uninstall' } },
  { kind: 'handshake', body: latin1('d1:md6:ut_pexi1eee'), seen: { kind: 'none' } },
  { kind: 'handshake', body: latin1(installText.replace('i64e', 'i0e')), seen: { kind: 'invalid-mapping' } },
  { kind: 'handshake', body: latin1(installText.replace('3:4.0', '3:3.0')), seen: { kind: 'invalid-version' } },
];

const message = (value: Message, ids = MESSAGE_ID): Move => ({ kind: 'message', message: value, ids });

const opening: readonly Move[] = [message(BUY), message(JOIN), message(readyOf(channel()))];

/** More requests than payments, for a payment without a request ends the sale. */
const trade: readonly Move[] = [
  message(request(0)),
  message(request(1)),
  message(request(12)),
  { kind: 'pay', skip: 0 },
];

const odd: readonly Move[] = [
  message({ type: 'observe' }),
  message(SELL),
  message({ type: 'buy', terms: { ...BUYER_TERMS, maxPrice: 999n } }),
  message(BUY, otherIds),
  message(JOIN, otherIds),
  message({ type: 'join_contract', index: 1 }),
  message({ type: 'speedTestRequest', size: 100 }),
  message({ type: 'speedTestRequest', size: 2_000_001 }),
  message(readyOf(channel(0n))),
  message(readyOf(channel(3000n))),
  message(readyOf(channel(2_500_000_000_000_000n))),
  message(request(13)),
  message(request(-1)),
  { kind: 'pay', skip: 1 },
  message({ type: 'payment', signature: new Uint8Array(70) }),
  message({ type: 'full_piece', data: new Uint8Array(10) }),
  message({ type: 'full_piece', data: new Uint8Array(1000) }),
  message({ type: 'speedTestPayload', data: new Uint8Array(3) }),
  { kind: 'raw', id: MESSAGE_ID.sell, payload: new Uint8Array(33) },
  { kind: 'raw', id: MESSAGE_ID.joining_contract, payload: new Uint8Array(53) },
  { kind: 'raw', id: 77, payload: new Uint8Array(1) },
  ...handshakes,
];

/** The way of a sale, cut off somewhere, with up to three odd moves anywhere in it. */
const moves = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(handshakes[0]!) },
      { weight: 1, arbitrary: fc.constantFrom(...handshakes) },
    ),
    fc.oneof({ weight: 3, arbitrary: fc.constant(opening.length) }, { weight: 1, arbitrary: fc.nat(opening.length) }),
    fc.array(fc.constantFrom(...trade), { maxLength: 60, size: 'max' }),
    fc.array(fc.tuple(fc.nat(64), fc.constantFrom(...odd, ...opening)), { maxLength: 3 }),
  )
  .map(([first, along, traded, oddities]) => {
    const sale: Move[] = [first, message(request(1)), ...opening.slice(0, along), message(request(1)), ...traded];
    for (const [at, move] of oddities) sale.splice(1 + (at % sale.length), 0, move);
    return sale;
  });

/** Where the funding does not cover it there is nothing to sign. */
const nextPayment = (k: number, value: bigint): Message =>
  BigInt(k) * 1000n > value ? { type: 'payment', signature: new Uint8Array(70) } : payment(k, channel(value));

/** Plays the moves to the described reference and writes down what a script would have. */
const record = (played: readonly Move[]): object => {
  const script = new ScriptBuilder().recvHandshake();
  const reference = new ReferenceSeller();
  let value = 20_000n;
  let counted = 0;
  let closed = false;
  const write = (reactions: readonly Reaction[]): void => {
    for (const reaction of reactions) {
      if (reaction.kind === 'send') script.recv(reaction.message, reaction.ids);
      else if (reaction.kind === 'piece') script.recvPieceUnder(reaction.ids);
      else if (reaction.kind === 'counted') {
        script.event({ event: 'payment_received' });
        counted += 1;
      } else if (reaction.kind === 'settled') script.settled(reaction.payments);
      else {
        script.closed();
        closed = true;
      }
    }
  };
  for (const move of played) {
    if (closed) break;
    if (move.kind === 'handshake') {
      script.sendHandshake(move.body);
      counted = 0;
      write(reference.handshake(move.seen));
    } else if (move.kind === 'raw') {
      script.sendRaw(move.id, move.payload);
      write(reference.frame(move.id, move.payload));
    } else {
      const sent = move.kind === 'pay' ? nextPayment(counted + 1 + move.skip, value) : move.message;
      const ids = move.kind === 'pay' ? MESSAGE_ID : move.ids;
      if (sent.type === 'ready') value = sent.value;
      const payload = encodePayload(sent);
      script.sendRaw(ids[sent.type], payload, `js_${sent.type}`);
      write(reference.frame(ids[sent.type], payload));
    }
    script.mark({ drained: {} });
  }
  if (!closed) write(reference.end());
  return script.build('random');
};

describe('a peer that does anything to the described reference', () => {
  it('finds our seller doing the same, or another thing by rule', () => {
    fc.assert(
      fc.property(moves, (played) => {
        const report = new Report();
        const fields = new Fields({ meta: FILE_META, scenarios: [record(played)] }, 'file');
        runScenarios(fields, report, 'file', '/nowhere/file.json');
        expect(report.failures).toEqual([]);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
