import { rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestFleet } from '../testing/test-fleet.js';

describe('starting', () => {
  let fleet: TestFleet;

  beforeAll(async () => {
    fleet = await TestFleet.open();
    const settler = fleet.service('settler');
    await settler.start();
    await settler.end('SIGTERM');
  });

  afterAll(() => fleet.close());

  it('refuses a wrong passphrase and a missing seed, each with its message', async () => {
    writeFileSync(fleet.keyFile, 'wrong');
    const wrong = fleet.service('settler');
    expect(await wrong.launch()).toBe(1);
    expect(wrong.log).toContain('the passphrase is wrong, or the file is corrupt');
    rmSync(fleet.seedFile);
    const missing = fleet.service('settler');
    expect(await missing.launch()).toBe(1);
    expect(missing.log).toContain('restore the file');
  });

  it('refuses to start without a network, and a settler without its seed’s files', async () => {
    const nowhere = fleet.service('intake', { SEEDFLEET_NETWORK: '' });
    expect(await nowhere.launch()).toBe(78);
    expect(nowhere.log).toContain('SEEDFLEET_NETWORK is not set');
    const seedless = fleet.service('settler', { SEED_FILE: '' });
    expect(await seedless.launch()).toBe(78);
    expect(seedless.log).toContain('SEED_FILE');
  });

  it('names a database that is not there, or has no tables', async () => {
    const gone = fleet.service('intake', { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
    expect(await gone.launch()).toBe(1);
    expect(gone.log).toContain('127.0.0.1:1');
    const empty = new URL(fleet.databaseUrl);
    empty.pathname = '/postgres';
    const bare = fleet.service('intake', { DATABASE_URL: empty.href });
    expect(await bare.launch()).toBe(1);
    expect(bare.log).toContain('deploy the migrations');
  });
});
