import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeExtendedHandshake, encodePayload, MESSAGE_ID, type Message } from '@seedfleet/wire';
import { Fields } from '../input/fields.js';
import { Report } from '../report.js';
import { FUNDING_SAT, ReferenceBuyer, type BuyerReaction } from '../testing/reference-buyer.js';
import {
  BUY,
  BUYER_TERMS,
  channel,
  FILE_META,
  JOINING,
  key,
  payment,
  ScriptBuilder,
  SELLER_TERMS,
} from '../testing/script-builder.js';
import { runScenarios } from './scenarios.js';

type Move = { readonly message: Message; readonly good: boolean };

const move = (message: Message, good = true): Move => ({ message, good });
const sell = (index: number, minPrice = 20n): Move =>
  move({ type: 'sell', terms: { ...SELLER_TERMS, minPrice }, index });
const piece = (good: boolean): Move => move({ type: 'full_piece', data: new Uint8Array(40) }, good);
const TEST_BYTES = 50;
const answer = move({ type: 'speedTestPayload', data: new Uint8Array(TEST_BYTES) });

const odd: readonly Move[] = [
  sell(3),
  sell(4, 1001n),
  move({ type: 'observe' }),
  move(BUY),
  move(JOINING),
  answer,
  move({ type: 'speedTestPayload', data: new Uint8Array(TEST_BYTES + 1) }),
  move({ type: 'join_contract', index: 0 }),
  move({ type: 'request_full_piece', piece: 1 }),
  move({ type: 'payment', signature: new Uint8Array(70) }),
  piece(false),
];

/** The way of a sale with up to two odd moves anywhere in it. */
const moves = fc
  .tuple(fc.boolean(), fc.nat(15), fc.array(fc.tuple(fc.nat(40), fc.constantFrom(...odd)), { maxLength: 2 }))
  .map(([tested, pieces, oddities]) => {
    const sale = [
      sell(0),
      ...(tested ? [answer] : []),
      move(JOINING),
      ...Array.from({ length: pieces }, () => piece(true)),
    ];
    for (const [at, oddity] of oddities) sale.splice(at % (sale.length + 1), 0, oddity);
    return { tested, sale };
  });

/** Plays the moves to the described reference and writes down what a script would have. */
const record = ({ tested, sale }: { readonly tested: boolean; readonly sale: readonly Move[] }): object => {
  const script = new ScriptBuilder('buyer').recvHandshake();
  const reference = new ReferenceBuyer(BUYER_TERMS, tested ? TEST_BYTES : undefined);
  let closed = false;
  script.event({
    event: 'need_contract',
    commitments: [{ buyerContractPk: Buffer.from(key(0x33).pub).toString('hex'), buyerContractSk: '33'.repeat(32) }],
  });
  const write = (reactions: readonly BuyerReaction[]): void => {
    for (const reaction of reactions) {
      if (reaction.kind === 'send') script.recv(reaction.message);
      else if (reaction.kind === 'payment') script.recv(payment(reaction.number, channel(FUNDING_SAT, reaction.terms)));
      else if (reaction.kind === 'judged')
        script.event({ event: 'piece_received', sha1: reaction.good ? 'ok' : 'MISMATCH' });
      else {
        script.closed();
        closed = true;
      }
    }
  };
  script.sendHandshake(encodeExtendedHandshake({ kind: 'install' }));
  write(reference.handshake({ kind: 'install', ids: MESSAGE_ID }));
  for (const { message, good } of sale) {
    if (closed) break;
    script.sendRaw(MESSAGE_ID[message.type], encodePayload(message), `js_${message.type}`);
    write(reference.message(message, good));
    script.mark({ drained: {} });
  }
  return script.build('random');
};

describe('a seller that does anything to the described reference', () => {
  it('finds our buyer doing the same, or another thing by rule', () => {
    fc.assert(
      fc.property(moves, (played) => {
        const report = new Report();
        const fields = new Fields({ meta: FILE_META, scenarios: [record(played)] }, 'file');
        runScenarios(fields, report, 'file', '/nowhere/file.json');
        expect(report.failures).toEqual([]);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
