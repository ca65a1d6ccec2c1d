import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus, type BusTls } from '@seedfleet/bus';
import { createPrismaClient, type PrismaClient } from '@seedfleet/persistence';
import { databaseConfig, parseConfig, redisConfig, redisTls } from '@seedfleet/service-kit';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pickPort } from './free-port.js';
import { bringTool } from './packages/bring-tool.js';
import { startServers, type RunningServers } from './servers.js';
import { makeCertificates, type Certificates } from './testing/certificates.js';

const folder = mkdtempSync(join(tmpdir(), 'fleet-tls-'));
let servers: RunningServers;
let ours: Certificates;
let strangers: Certificates;
let nats: ChildProcess;
let natsPort: number;

beforeAll(async () => {
  ours = makeCertificates(folder, 'ours');
  strangers = makeCertificates(folder, 'strangers');
  servers = await startServers({ stateDir: join(folder, 'state') });
  natsPort = await pickPort();
  const config = join(folder, 'nats.conf');
  const tls = `tls { cert_file: "${ours.cert}", key_file: "${ours.key}", handshake_first: true }`;
  writeFileSync(config, `listen: "127.0.0.1:${natsPort}"\n${tls}\n`);
  const wanted = { suite: 'trixie', name: 'nats-server', binaryFolder: 'usr/sbin', binaries: ['nats-server'] };
  nats = spawn(join(await bringTool(wanted), 'nats-server'), ['-c', config], { stdio: 'ignore' });
}, 300_000);

afterAll(async () => {
  nats.kill('SIGKILL');
  await servers.stop();
  rmSync(folder, { recursive: true, force: true });
});

const connect = (natsUrl: string, tls?: BusTls) =>
  Bus.connect({
    natsUrl,
    fleetId: 'tls',
    service: 'market-api',
    instance: 'test',
    onRejected: () => undefined,
    ...(tls === undefined ? {} : { tls }),
  });

describe('TLS by configuration', () => {
  it('reaches a broker whose authority is known, and no other', async () => {
    const url = `nats://localhost:${natsPort}`;
    let bus: Bus | undefined;
    await expect
      .poll(async () => (bus = await connect(url, { caFile: ours.ca })).isConnected, { timeout: 30_000 })
      .toBe(true);
    await bus?.close();
    await expect(connect(url, { caFile: strangers.ca })).rejects.toThrow();
    await expect(connect(`tls://localhost:${natsPort}`)).rejects.toThrow();
  });

  it('never falls back to plain text with a broker that has no TLS', async () => {
    const plain = new URL(servers.connections.nats.url);
    await expect(connect(plain.href, { caFile: ours.ca })).rejects.toThrow();
  });

  it('reaches Postgres whose authority is known, and no other', async () => {
    const url = new URL(servers.connections.postgres.url);
    await serveTls(url.href);
    url.hostname = 'localhost';
    const open = (ca: string): PrismaClient => {
      const environment = { DATABASE_URL: url.href, DATABASE_CA_FILE: ca };
      return createPrismaClient(parseConfig(z.object(databaseConfig), environment).DATABASE_URL, 1);
    };
    const known = open(ours.ca);
    expect(await known.$queryRaw`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`).toEqual([{ ssl: true }]);
    await known.$disconnect();
    const unknown = open(strangers.ca);
    await expect(unknown.$queryRaw`SELECT 1`).rejects.toThrow();
    await unknown.$disconnect();
  });

  it('reaches Redis whose authority is known, and no other', async () => {
    const port = await pickPort();
    const admin = new Redis(servers.connections.redis.url);
    await admin.config('SET', 'tls-cert-file', ours.cert, 'tls-key-file', ours.key, 'tls-ca-cert-file', ours.ca);
    await admin.config('SET', 'tls-auth-clients', 'no', 'tls-port', String(port));
    const { password } = new URL(servers.connections.redis.url);
    const ping = async (ca: string): Promise<string> => {
      const environment = { REDIS_URL: `rediss://:${password}@localhost:${port}`, REDIS_CA_FILE: ca };
      const config = parseConfig(z.object(redisConfig), environment);
      const options = { ...redisTls(config), lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 };
      const client = new Redis(config.REDIS_URL, options);
      client.on('error', () => undefined);
      try {
        await client.connect();
        return await client.ping();
      } finally {
        client.disconnect();
      }
    };
    expect(await ping(ours.ca)).toBe('PONG');
    await expect(ping(strangers.ca)).rejects.toThrow();
    admin.disconnect();
  });
});

/** Switches TLS on in the running server: it wants its key in a file that only it or root can read. */
async function serveTls(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    const data = rows[0]?.data_directory ?? '';
    const { uid, gid } = statSync(data);
    for (const [from, name] of [
      [ours.cert, 'server.crt'],
      [ours.key, 'server.key'],
    ] as const) {
      const to = join(data, name);
      copyFileSync(from, to);
      chmodSync(to, 0o600);
      if (process.getuid?.() === 0) chownSync(to, uid, gid);
    }
    await client.query('ALTER SYSTEM SET ssl = on');
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}
