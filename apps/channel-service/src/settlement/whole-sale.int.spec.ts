import { netSat, unsignedSettlement } from '@seedfleet/payment-channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceProcess } from '../testing/service-process.js';
import { TERMS, TestFleet, VALUE_SAT } from '../testing/test-fleet.js';

describe('a sale, from the join to burial', () => {
  let fleet: TestFleet;
  let settler: ServiceProcess;
  let intake: ServiceProcess;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    settler = fleet.service('settler');
    intake = fleet.service('intake');
    await settler.start();
    await intake.start();
  });

  afterAll(() => fleet.close(intake, settler));

  it('settles the last payment with exactly the amounts of the specification', async () => {
    const { channelId, buyer, txid } = await fleet.funded();
    await fleet.publish({ payments: [{ channelId, k: 41, signature: buyer.pay(41) }] });
    const seq = await fleet.publish({
      payments: [{ channelId, k: 42, signature: buyer.pay(42) }],
      ends: [{ channelId, k: 42, reason: 'peer-closed' }],
    });
    await fleet.committed(seq);
    const settling = await fleet.becomes(channelId, 'settling');
    expect(settling.frozenK).toBe(42n);
    const settlementTxid = settling.settlementTxid ?? '';

    await expect.poll(() => fleet.regtest.transaction(settlementTxid).catch(() => null)).not.toBeNull();
    await fleet.regtest.mine();
    await fleet.becomes(channelId, 'settled');
    const mined = await fleet.regtest.transaction(settlementTxid);
    expect(mined.vout.map(({ value }) => BigInt(Math.round(value * 1e8)))).toEqual([
      VALUE_SAT - 42n * TERMS.priceSat,
      netSat(42, TERMS.priceSat, TERMS.settlementFeeSat),
    ]);
    expect(unsignedSettlement(buyer.parameters(txid), 42).bytes.length).toBeGreaterThan(0);

    await fleet.regtest.mine(5);
    const buried = await fleet.becomes(channelId, 'buried');
    expect(buried).toMatchObject({ settlementConfirmations: 6, nextActionAt: null });
    expect(await fleet.story(channelId)).toEqual([
      'joined:join-accepted',
      'joined:ready',
      'funding-seen:outpoint-claimed',
      'funding-seen:unconfirmed',
      'funded:funded',
      'closing:peer-closed',
      'settling:stored',
      'settling:broadcast',
      'settled:mined',
      'buried:buried',
    ]);
  });
});
