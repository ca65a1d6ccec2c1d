import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainStep, runSale } from '@seedfleet/fleet';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CredentialFleet } from '../testing/credential-fleet.js';

let folder: string;
let fleet: CredentialFleet;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seedfleet-guarded-'));
  // Postgres runs as another user than root.
  chmodSync(folder, 0o755);
  fleet = new CredentialFleet(folder);
  await fleet.bringServers();
}, 300_000);
afterAll(async () => {
  await fleet.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

it('makes a sale with every process in possession of its own files only, over TLS to the broker, Postgres and Redis', async () => {
  for (const name of ['tls-ca.key', 'nats.key', 'postgres.key', 'redis.key'])
    expect(statSync(fleet.secret(name)).mode & 0o077, name).toBe(0);
  await fleet.migrate();
  const selling = await fleet.startServices();
  const report = await runSale(selling, { run: plainStep }, AbortSignal.timeout(280_000));
  expect(report.payments).toBe(report.pieces);
  expect(report.confirmations).toBeGreaterThanOrEqual(6);

  // Each service is known to Postgres by its own role.
  const url = new URL(fleet.text('owner.database-url'));
  url.searchParams.set('sslmode', 'verify-full');
  url.searchParams.set('sslrootcert', fleet.secret('tls-ca.pem'));
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    const { rows } = await client.query<{ usename: string; ssl: boolean }>(
      `SELECT a.usename, bool_and(s.ssl) AS ssl FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid)
       WHERE a.datname = current_database() AND a.usename <> current_user GROUP BY 1 ORDER BY 1`,
    );
    expect(rows).toEqual(
      ['guarded_chain', 'guarded_channel', 'guarded_market'].map((usename) => ({ usename, ssl: true })),
    );
  } finally {
    await client.end();
  }
});
