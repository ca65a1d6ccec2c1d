import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceProcess } from '../testing/service-process.js';
import { TestFleet } from '../testing/test-fleet.js';

describe('a fleet with the Bitcoin Cash digest on a Bitcoin node', () => {
  let fleet: TestFleet;
  let service: ServiceProcess;

  beforeAll(async () => {
    fleet = await TestFleet.open('regtest_bitcoin_cash');
    // Redis is not there at all: its wakes are a convenience.
    service = fleet.service('all', { REDIS_URL: 'redis://127.0.0.1:1' });
    await service.start();
  });

  afterAll(() => fleet.close(service));

  it('verifies and signs with its digest, and names the refusal of the node', async () => {
    const { channelId, buyer } = await fleet.funded();
    await fleet.publish({
      payments: [{ channelId, k: 12, signature: buyer.pay(12) }],
      ends: [{ channelId, k: 12, reason: 'peer-closed' }],
    });
    const rejected = await fleet.becomes(channelId, 'settle-rejected');
    expect(rejected).toMatchObject({ k: 12n, frozenK: 12n });
    expect(rejected.settlementTxid).not.toBeNull();
    expect(rejected.nextActionAt).not.toBeNull();
  });
});
