import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Bus,
  channelOpen,
  channelVerdict,
  consumeStream,
  ensureStream,
  FleetNatsServer,
  Handles,
  nodeHeartbeat,
  PARKED,
  paymentStream,
  type Service,
} from '@seedfleet/bus';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { natsProvider } from './providers/nats.js';
import { natsUrlFor } from './providers/nats-users.js';
import { provide } from './providers/provide.js';
import { silentConsent } from './servers.js';
import { StateDir } from './state/state-dir.js';
import { Supervisor } from './supervise/supervisor.js';

const REFUSED = { opened: false as const, code: 'busy', detail: '', revisedTerms: null };

@Controller()
class Opening {
  @Handles(channelOpen)
  open() {
    return REFUSED;
  }
}

@Module({ controllers: [Opening] })
class OpeningModule {}

const terms = {
  priceSat: 1n,
  lockUnits: 20,
  settlementFeeSat: 1n,
  minContractFeePerKbSat: 1n,
  maxSellers: 1,
};
const request = (nodeId: string) => ({
  joinId: '8c2b1b5e-7f0f-4f53-9d0e-000000000000',
  nodeId,
  infoHash: 'ab'.repeat(20),
  pieceCount: 1,
  pieceLength: 1,
  totalBytes: 1,
  termsIndex: 0,
  terms,
  buyerTerms: { maxPriceSat: 1n, maxLockUnits: 20, maxContractFeePerKbSat: 1n, minSellers: 1 },
  peer: { address: '127.0.0.1', port: 1, subnet: '127.0.0.0/24', client: 'test' },
});
const heartbeat = (nodeId: string) => ({
  nodeId,
  peerAddress: '127.0.0.1:1',
  connections: 0,
  activeChannels: 0,
  joinedChannels: 0,
  piecesSold: 0,
  bytesSold: 0,
  exposureBytes: 0,
  draining: false,
});

const folder = mkdtempSync(join(tmpdir(), 'fleet-broker-'));
const state = StateDir.open(folder);
const supervisor = new Supervisor(folder, () => undefined);
const opened: Bus[] = [];
const rejections: string[] = [];
let url: string;
let intake: Bus;
let market: Bus;
let node: Bus;

async function connect(service: Service, name: string): Promise<Bus> {
  const bus = await Bus.connect({
    natsUrl: natsUrlFor(url, state, name),
    fleetId: state.id,
    service,
    instance: 'test',
    onRejected: ({ code }) => rejections.push(code),
  });
  opened.push(bus);
  return bus;
}

beforeAll(async () => {
  const context = { state, supervisor, env: process.env, network: 'regtest' as const };
  url = (await provide(natsProvider, { ...context, env: { PATH: process.env['PATH'] } }, undefined, silentConsent))
    .connection.url;
  intake = await connect('channel-service', 'channel-intake');
  market = await connect('market-api', 'market-api');
  node = await connect('swarm-node', 'node-1');
  await ensureStream(intake, PARKED);
  await ensureStream(intake, paymentStream);
  const app = await NestFactory.create(OpeningModule, { logger: false });
  app.connectMicroservice({ strategy: new FleetNatsServer(intake) });
  await app.startAllMicroservices();
}, 300_000);

afterAll(async () => {
  await Promise.all(opened.map((bus) => bus.close()));
  await supervisor.stopAll();
  rmSync(folder, { recursive: true, force: true });
});

/** What the broker refuses of a connection from here on. */
function violationsOf(bus: Bus): string[] {
  const seen: string[] = [];
  void (async () => {
    for await (const status of bus.connection.status()) {
      if (status.type === 'error') seen.push(status.error.message);
    }
  })();
  return seen;
}

describe('a credential of the broker', () => {
  it('lets services and nodes do their work', async () => {
    expect(await node.request(channelOpen, request('node-1'))).toEqual({ ok: true, value: REFUSED });
    const committed: number[] = [];
    const consumer = await consumeStream(intake, paymentStream, {
      durable: 'intake-0',
      keys: ['0'],
      maxBatch: 10,
      startSeq: 1,
      handle: (messages) => Promise.resolve(void committed.push(...messages.map(({ seq }) => seq))),
      onError: () => undefined,
    });
    await node.store(paymentStream, ['0', 'node-1'], { nodeId: 'node-1', payments: [], ends: [] });
    await expect.poll(() => committed, { timeout: 30_000 }).toEqual([1]);
    await consumer.stop();

    const verdicts: number[] = [];
    node.subscribe(channelVerdict, ['node-1'], ({ version }) => void verdicts.push(version));
    const beats: string[] = [];
    market.subscribe(nodeHeartbeat, [], ({ nodeId }) => void beats.push(nodeId));
    await Promise.all([node.connection.flush(), market.connection.flush()]);
    intake.publish(channelVerdict, ['node-1'], {
      channelId: request('node-1').joinId,
      version: 3,
      kind: 'wait',
      allowanceBytes: 0,
      code: 'wait',
      detail: '',
      kMin: 0,
      kCap: 0,
      deadlineMtp: null,
    });
    node.publish(nodeHeartbeat, [], heartbeat('node-1'));
    await expect.poll(() => [verdicts, beats], { timeout: 30_000 }).toEqual([[3], ['node-1']]);
  });

  it('refuses a node every subject that is not its own', async () => {
    const id = state.id;
    const forbidden = [
      // as another node
      `${id}.channel.open.node-2`,
      `${id}.fleet.heartbeat.node-2`,
      `${id}.payments.0.node-2`,
      // as a service
      `${id}.channel.verdict.node-1`,
      `${id}.payments-watermark.0`,
      `${id}.chain.status`,
      `${id}.chain.broadcast`,
      `${id}.parked.channel-service`,
      // the broker's own interface
      `$JS.API.STREAM.INFO.${id}-PARKED`,
      `$JS.API.STREAM.UPDATE.${id}-PAYMENTS`,
      `$JS.API.STREAM.DELETE.${id}-PAYMENTS`,
      `$JS.API.CONSUMER.CREATE.${id}-PAYMENTS.x`,
      // an answer in somebody's place
      `_INBOX.${id}.channel-intake.x`,
      'elsewhere.chain.status',
    ];
    const seen = violationsOf(node);
    for (const subject of forbidden) node.connection.publish(subject, '{}');
    await node.connection.flush();
    await expect.poll(() => seen.length, { timeout: 30_000 }).toBe(forbidden.length);
    for (const subject of forbidden) expect(seen.some((message) => message.includes(`"${subject}"`))).toBe(true);
  });

  it.each(['>', '_INBOX.>', '*.channel.verdict.*', '*.payments.>', '*.channel.open.*'])(
    'lets a node not listen to %s',
    async (subject) => {
      const refused = new Promise<string>((resolve) => {
        node.connection.subscribe(subject, { callback: (error) => resolve(error?.message ?? 'heard something') });
      });
      expect(await refused).toMatch(/permissions violation/i);
    },
  );

  it('keeps market-api from the chain, and every service from deleting a stream', async () => {
    const seen = [violationsOf(market), violationsOf(intake)];
    market.connection.publish(`${state.id}.chain.broadcast`, '{}');
    intake.connection.publish(`$JS.API.STREAM.DELETE.${state.id}-PAYMENTS`, '');
    await Promise.all([market.connection.flush(), intake.connection.flush()]);
    await expect.poll(() => seen.map(({ length }) => length), { timeout: 30_000 }).toEqual([1, 1]);
  });

  it('makes a node that names another one in its own message be refused', async () => {
    // By hand: the bus puts into the subject what the message says.
    const body = JSON.stringify(nodeHeartbeat.payload.encode(heartbeat('node-2')));
    const beats: string[] = [];
    market.subscribe(nodeHeartbeat, [], ({ nodeId }) => void beats.push(nodeId));
    await market.connection.flush();
    node.connection.publish(`${state.id}.fleet.heartbeat.node-1`, body);
    await expect.poll(() => rejections, { timeout: 30_000 }).toContain('forged_sender');
    const forged = JSON.stringify({
      id: '1',
      pattern: 'x',
      data: channelOpen.request.encode(request('node-2')),
    });
    const answer = await node.connection.request(`${state.id}.channel.open.node-1`, forged, { timeout: 10_000 });
    expect(answer.string()).toContain('forged_sender');
    expect(beats).toEqual([]);
  });

  it('is needed: nobody gets in without one', async () => {
    const bare = new URL(url);
    bare.username = '';
    bare.password = '';
    const options = {
      fleetId: state.id,
      service: 'swarm-node',
      instance: 'test',
      onRejected: () => undefined,
    } as const;
    await expect(Bus.connect({ ...options, natsUrl: bare.href })).rejects.toThrow(/authorization/i);
    const wrong = new URL(natsUrlFor(url, state, 'node-1'));
    wrong.username = `${state.id}.swarm-node.node-2`;
    await expect(Bus.connect({ ...options, natsUrl: wrong.href })).rejects.toThrow(/authorization/i);
  });
});
