import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus, nodeHeartbeat } from '@seedfleet/bus';
import { bringTool } from '@seedfleet/fleet';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { projectFile } from '../files.js';
import { rotateCredential, writeCredentials } from './credential-files.js';

const NATS = { suite: 'trixie', name: 'nats-server', binaryFolder: 'usr/sbin', binaries: ['nats-server'] } as const;

let folder: string;
let server: ChildProcess;
const buses: Bus[] = [];

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  return port;
}

/** A service as it starts: with the URL that a file of its own holds. */
async function connect(file: string, service: 'market-api' | 'swarm-node'): Promise<Bus> {
  const natsUrl = readFileSync(join(folder, file), 'utf8').trim();
  const bus = await Bus.connect({ natsUrl, fleetId: 'fleet', service, instance: file, onRejected: () => undefined });
  buses.push(bus);
  return bus;
}

const beat = (nodeId: string) => ({
  nodeId,
  peerAddress: '192.0.2.1:7881',
  connections: 0,
  activeChannels: 0,
  joinedChannels: 0,
  piecesSold: 0,
  bytesSold: 0,
  exposureBytes: 0,
  draining: false,
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'seedfleet-broker-'));
  const [port, monitor] = [await freePort(), await freePort()];
  const servers = { nats: `127.0.0.1:${port}`, postgres: 'p:5432/seedfleet', redis: 'r:6379', bitcoin: 'b:8332' };
  writeCredentials({ folder, fleetId: 'fleet', nodes: ['node-1', 'node-2'], ...servers });
  // The configuration that the containers use, with the places of this machine.
  const config = readFileSync(projectFile('deploy/nats.conf'), 'utf8')
    .replace('port: 4222', `port: ${port}\nhost: 127.0.0.1`)
    .replace('http: 8222', `http: 127.0.0.1:${monitor}`)
    .replace('/data', join(folder, 'data'))
    .replace('../../run/secrets/nats-account.conf', 'nats-account.conf');
  writeFileSync(join(folder, 'nats.conf'), config);
  const program = join(await bringTool(NATS), 'nats-server');
  server = spawn(program, ['-c', join(folder, 'nats.conf')], { stdio: 'ignore' });
  const health = `http://127.0.0.1:${monitor}/healthz?js-enabled-only=true`;
  const isUp = () => fetch(health).then(({ ok }) => ok);
  await vi.waitFor(async () => expect(await isUp()).toBe(true), { timeout: 60_000, interval: 200 });
}, 300_000);

afterAll(async () => {
  // Some of them have been cut off, and have nothing that could be sent.
  for (const bus of buses) await bus.connection.close();
  const ended = once(server, 'exit');
  server.kill();
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

it('lets each process in with its own file, and a node speak for itself only', async () => {
  const market = await connect('market-api.nats-url', 'market-api');
  const node = await connect('node-1.nats-url', 'swarm-node');
  const heard: string[] = [];
  market.subscribe(nodeHeartbeat, [], ({ nodeId }) => void heard.push(nodeId));
  await market.connection.flush();
  node.publish(nodeHeartbeat, [], beat('node-2'));
  node.publish(nodeHeartbeat, [], beat('node-1'));
  await vi.waitFor(() => expect(heard).toContain('node-1'), { timeout: 30_000 });
  expect(heard).toEqual(['node-1']);
});

it('changes a credential under a node that is connected: it comes back, and who has the old one does not', async () => {
  const path = join(folder, 'node-1.nats-url');
  const leaked = readFileSync(path, 'utf8').trim();
  const of = (instance: string) => ({
    natsUrl: leaked,
    fleetId: 'fleet',
    service: 'swarm-node' as const,
    instance,
    onRejected: () => undefined,
  });
  const statuses: string[] = [];
  const node = await Bus.connect({
    ...of('node'),
    natsUrlNow: () => readFileSync(path, 'utf8').trim(),
    onStatus: (status) => statuses.push(status),
  });
  const thief = await Bus.connect(of('thief'));
  buses.push(node);
  const heard: string[] = [];
  const market = await connect('market-api.nats-url', 'market-api');
  market.subscribe(nodeHeartbeat, [], ({ connections }) => void heard.push(String(connections)));
  await market.connection.flush();
  rotateCredential(folder, 'node-1');
  server.kill('SIGHUP');
  await vi.waitFor(() => expect(statuses).toContain('connected'), { timeout: 30_000 });
  await vi.waitFor(() => expect(thief.isConnected).toBe(false), { timeout: 30_000 });
  node.publish(nodeHeartbeat, [], { ...beat('node-1'), connections: 7 });
  await vi.waitFor(() => expect(heard).toEqual(['7']), { timeout: 30_000 });
  await expect(Bus.connect(of('thief'))).rejects.toThrow(/authorization/i);
  expect(thief.isConnected).toBe(false);
  // The others were not disturbed.
  expect(market.isConnected).toBe(true);
  await thief.connection.close();
});

it('keeps out whoever has another password', async () => {
  const path = join(folder, 'node-2.nats-url');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/:[0-9a-f]{48}@/, `:${'0'.repeat(48)}@`));
  await expect(connect('node-2.nats-url', 'swarm-node')).rejects.toThrow();
});
