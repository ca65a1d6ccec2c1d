import { describe, expect, it } from 'vitest';
import { bestEcdsa, derSignature, prepareSettlement } from '@seedfleet/payment-channel';
import { encodeExtendedHandshake, MESSAGE_ID, type Message, type MessageIds } from '@seedfleet/wire';
import { Fields } from '../input/fields.js';
import { Report } from '../report.js';
import {
  BUY,
  BUYER_TERMS,
  channel,
  FILE_META,
  greeted,
  JOIN,
  joined,
  JOINING,
  key,
  payment,
  readyOf,
  request,
  ScriptBuilder,
  SELL,
  SELLER_TERMS,
  serving,
} from '../testing/script-builder.js';
import { runScenarios } from './scenarios.js';

const run = (scenario: object): Report => {
  const report = new Report();
  runScenarios(new Fields({ meta: FILE_META, scenarios: [scenario] }, 'file'), report, 'file', '/nowhere/file.json');
  return report;
};

/** Passes exactly as the reference did, with no rule needed. */
const agrees = (script: ScriptBuilder): void => {
  const report = run(script.build('case'));
  expect(report.failures).toEqual([]);
  expect([...report.ruleUses.keys()]).toEqual([]);
};

const agreesByRule = (rule: string, script: ScriptBuilder): void => {
  const report = run(script.build('case'));
  expect(report.failures).toEqual([]);
  expect([...report.ruleUses.keys()]).toEqual([rule]);
};

const fails = (script: ScriptBuilder): void => {
  expect(run(script.build('case')).failures).toHaveLength(1);
};

const ownIds = Object.fromEntries(
  Object.entries(MESSAGE_ID).map(([name, id]) => [name, id - 40]),
) as unknown as MessageIds;
const otherMapping = Buffer.from(encodeExtendedHandshake({ kind: 'install' }))
  .toString('latin1')
  .replace(/i6([0-9])e/g, 'i2$1e')
  .replace('i70e', 'i30e');
const observe: Message = { type: 'observe' };
const speedTest = (size: number): Message => ({ type: 'speedTestRequest', size });
const speedData = (size: number): Message => ({ type: 'speedTestPayload', data: new Uint8Array(size).fill(0xff) });
const unfit: Message = { type: 'buy', terms: { ...BUYER_TERMS, maxPrice: 999n } };
const quoted: SellOf = { ...SELL, terms: { ...SELLER_TERMS, minPrice: 20n } } as SellOf;
type SellOf = Extract<Message, { type: 'sell' }>;

describe('our seller in the place of the reference', () => {
  it('serves a sale', () => {
    agrees(
      serving()
        .send(request(0))
        .recvPiece()
        .send(payment(1))
        .send(request(1))
        .recvPiece()
        .send(observe)
        .closed()
        .settled(1),
    );
  });

  it('answers one speed test, and only to a buyer', () => {
    agrees(greeted().send(speedTest(300)).recv(speedData(300)).send(JOIN).recv(JOINING).send(speedTest(5)));
    agrees(greeted().send(speedTest(0)).recv(speedData(0)).send(speedTest(0)).closed());
    agrees(new ScriptBuilder().sendHandshake().recvHandshake().recv(SELL).send(speedTest(5)).closed());
    agreesByRule('speed-test-unfit', greeted(unfit).send(speedTest(5)).recv(speedData(5)));
  });

  it('joins again after a mode message', () => {
    agrees(joined().send(BUY).send(readyOf(channel())).send(JOIN).recv(JOINING).send(observe).send(JOIN).closed());
  });

  it('revises terms when the reference did', () => {
    const revised: Message = { type: 'sell', terms: { ...SELLER_TERMS, minPrice: 900n }, index: 1 };
    agrees(greeted().recv(revised).send(JOIN).send({ type: 'join_contract', index: 1 }).recv(JOINING));
    agreesByRule('terms-frozen', joined().recv(revised).send({ type: 'join_contract', index: 1 }).recv(JOINING));
  });

  it('stops, starts again and quotes afresh when the reference did', () => {
    agrees(joined().recvHandshake('uninstall').recvHandshake().recv(SELL).send(BUY).send(JOIN).recv(JOINING));
  });

  it('follows the peer out of the session and back', () => {
    const uninstall = encodeExtendedHandshake({ kind: 'uninstall' });
    agrees(serving().send(request(3)).recvPiece().send(payment(1)).sendHandshake(uninstall).settled(1));
    agrees(joined().sendHandshake(uninstall).sendHandshake().recv(SELL).send(BUY).send(JOIN).recv(JOINING));
    agrees(joined().sendHandshake(uninstall).send(BUY).closed());
    agreesByRule('uninstall-without-mapping', joined().sendHandshake(uninstall).sendHandshake(uninstall).closed());
  });

  it('treats mappings strictly', () => {
    const install = Buffer.from(encodeExtendedHandshake({ kind: 'install' })).toString('latin1');
    const start = (bencoded: string): ScriptBuilder => new ScriptBuilder().sendHandshake(bencoded).recvHandshake();
    agrees(start(install.replace('6:js_buyi61e', '')));
    agrees(start(install.replace('i61e', 'i-1e')).send(BUY).closed());
    agrees(start('d2:cc3:4.0e').closed());
    agrees(start(install.replace('3:4.0', '3:a.b')).closed());
    agrees(start('d1:v1:xe').sendHandshake().recv(SELL));
    agrees(start('broken').sendHandshake().recv(SELL));
    agreesByRule('unusable-mapping', start(install.replaceAll('js_', 'xx_')).recv(SELL));
    agreesByRule('later-handshake-without-version', greeted().sendHandshake('d1:v1:xe').closed());
    agreesByRule('repeated-mapping', greeted().sendHandshake().closed());
  });

  it('decodes by our own table, whatever the peer announced', () => {
    const start = (): ScriptBuilder =>
      new ScriptBuilder().sendHandshake(otherMapping).recvHandshake().recv(SELL, ownIds);
    agreesByRule('our-id-from-another-mapping', start().send(BUY).closed());
    agreesByRule('peers-own-id', start().send(BUY, ownIds).send(JOIN, ownIds).recv(JOINING, ownIds));
  });

  it('is not spoken to without BEP 10', () => {
    const plain = '00'.repeat(8);
    agrees(new ScriptBuilder('seller', plain));
    agrees(new ScriptBuilder('seller', plain).sendHandshake().closed());
  });

  it('joins when the log says so and the script did not read it', () => {
    const joining = {
      event: 'joining',
      contractPk: Buffer.from(key(0x11).pub).toString('hex'),
      finalPkHash: '11'.repeat(20),
    };
    agrees(greeted().send(JOIN).event(joining).send(readyOf(channel())).send(request(0)));
  });

  it('closes on what nobody may send', () => {
    agrees(greeted().sendRaw(77, new Uint8Array(3)).closed());
    agrees(greeted().sendRaw(MESSAGE_ID.ready, new Uint8Array(96)).closed());
    agrees(joined().sendRaw(MESSAGE_ID.ready, new Uint8Array(97)).closed());
    agrees(serving().send(request(-1)).closed());
    agrees(
      serving()
        .send(request(0))
        .recvPiece()
        .send({ type: 'payment', signature: new Uint8Array() })
        .withoutLastPayment()
        .closed(),
    );
    agrees(serving().send(request(0)).recvPiece().send(payment(2)).withoutLastPayment().closed());
    agreesByRule('oversized-message', greeted().sendShort({ type: 'full_piece', data: new Uint8Array(300) }));
  });

  it('drops what means nothing now', () => {
    agrees(
      greeted()
        .send(request(0))
        .send(payment(1))
        .withoutLastPayment()
        .send(readyOf(channel()))
        .send(JOIN)
        .recv(JOINING),
    );
    agrees(serving().send(JOIN).send(readyOf(channel())).send(speedTest(9)).send(request(0)).recvPiece());
  });

  it('drops an invitation that does not fit', () => {
    agreesByRule('invitation-unfit', greeted(unfit).send(JOIN).recv(JOINING));
  });

  it('counts a payment on the other chain as none', () => {
    const digest = prepareSettlement({ ...channel(), network: 'regtest_bitcoin_cash' }).digest(1);
    const signature = derSignature(bestEcdsa().sign(digest, key(0x33).secret));
    agrees(serving().send(request(0)).recvPiece().send({ type: 'payment', signature }).withoutLastPayment().closed());
  });

  it('stops where the funding ends', () => {
    const small = channel(2546n);
    const pay = (k: number): Message => payment(k, small);
    agreesByRule('funding-unusable', serving(1545n).send(request(0)).recvPiece());
    agreesByRule(
      'last-payment',
      serving(2546n).send(request(0)).recvPiece().send(pay(1)).send(request(1)).recvPiece().send(pay(2)).settled(2),
    );
    agreesByRule(
      'request-beyond-cap',
      serving(2546n).send(request(0)).send(request(1)).send(request(2)).recvPiece().recvPiece().recvPiece(),
    );
  });

  it('bounds the queue', () => {
    const script = serving();
    for (let n = 0; n < 17; n += 1) script.send(request(n % 13));
    for (let n = 0; n < 5; n += 1) script.recvPiece();
    agreesByRule('request-queue-full', script.mark({ 'unpaid pieces received': 5 }));
  });

  it('is found out when it differs', () => {
    fails(greeted().recv(JOINING));
    fails(
      greeted()
        .send(JOIN)
        .recv({ ...JOINING, sellerKeyHash: new Uint8Array(20) } as Message)
        .closed(),
    );
    fails(serving().send(request(0)).mark({ pieces: 0 }));
    fails(serving().send(request(0)).send(request(1)).recvPiece().mark({ pieces: 1 }));
    fails(serving().send(request(0)).recvPiece().recvPiece());
    fails(serving().send(request(0)).recvPiece(100));
    fails(serving().send(request(0)).recvPiece().closed());
    fails(serving().send(request(0)).recvPiece().send(payment(1)));
    fails(serving().send(request(0)).recvPiece().send(payment(1)).withoutLastPayment().settled(1));
    fails(serving().send(request(0)).recvPiece().send(payment(1)).settled(2));
    fails(serving().send(request(-1)));
    fails(greeted().recv(JOINING).sendHandshake().closed());
  });
});

describe('our buyer in the place of the reference', () => {
  const BUYER: Message = { type: 'buy', terms: { ...BUYER_TERMS, maxPrice: 100n } };
  const buying = (): ScriptBuilder => new ScriptBuilder('buyer').sendHandshake().recvHandshake().recv(BUYER);
  const parameters = channel(1000n, quoted.terms);
  const contract = {
    event: 'need_contract',
    commitments: [{ buyerContractPk: Buffer.from(key(0x33).pub).toString('hex'), buyerContractSk: '33'.repeat(32) }],
  };
  const pay = (k: number, of = parameters): Message => payment(k, of);
  const loading = (of = parameters, sell: Message = quoted): ScriptBuilder =>
    buying().send(sell).recv(JOIN).send(JOINING).event(contract).recv(readyOf(of));

  it('buys', () => {
    agrees(
      loading()
        .recv(request(0))
        .recv(request(1))
        .recv(request(2))
        .recv(request(3))
        .sendPiece('ok')
        .recv(pay(1))
        .recv(request(4))
        .sendPiece('MISMATCH')
        .closed(),
    );
  });

  it('asks again when the terms are revised', () => {
    const revised: Message = { ...quoted, index: 1 };
    agrees(
      buying()
        .send(quoted)
        .recv(JOIN)
        .send(revised)
        .recv({ type: 'join_contract', index: 1 })
        .send(observe)
        .send(JOINING),
    );
    agrees(buying().send(SELL).mark({ invited: false }).send(revised).recv({ type: 'join_contract', index: 1 }));
  });

  it('tests the speed first when the reference did', () => {
    agrees(buying().send(quoted).recv(speedTest(1000)).send(speedData(1000)).recv(JOIN));
    agrees(buying().send(quoted).recv(speedTest(1000)).send(speedData(999)).mark({ invited: false }).closed());
    agreesByRule('unasked-blob', buying().send(quoted).recv(JOIN).sendShort(speedData(20_000)).send(JOINING));
  });

  it('pays politely before it observes', () => {
    const asked = loading().recv(request(0)).recv(request(1)).recv(request(2)).recv(request(3));
    agrees(
      asked
        .sendPiece('ok')
        .recv(pay(1))
        .recv(request(4))
        .recv(pay(2))
        .recv(pay(3))
        .recv(pay(4))
        .recv(pay(5))
        .recv(observe),
    );
  });

  it('leaves a seller that sends a mode message', () => {
    agrees(loading().recv(request(0)).send(observe).closed());
    agrees(buying().send(quoted).recv(JOIN).send(JOINING).send(quoted).closed());
  });

  it('pays no more than can be settled', () => {
    const dear = { ...quoted, terms: { ...quoted.terms, minPrice: 100n } } as SellOf;
    const few = channel(1000n, dear.terms);
    const script = loading(few, dear);
    for (let n = 0; n < 4; n += 1) script.recv(request(n));
    for (let n = 0; n < 5; n += 1)
      script
        .sendPiece('ok')
        .recv(pay(n + 1, few))
        .recv(request(n + 4));
    agreesByRule('buyer-stops-at-cap', script);
  });

  it('is found out when it differs', () => {
    fails(buying().send(quoted).mark({ invited: false }));
    fails(loading().recv(request(1)));
    fails(loading().recv(request(0)).sendPiece('ok').recv(pay(2)));
    fails(loading().recv(request(0)).sendPiece('ok').recv(pay(1)).recv(pay(2)));
    fails(loading().recv(request(0)).sendPiece('MISMATCH'));
  });
});
