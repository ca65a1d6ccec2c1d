import { randomUUID } from 'node:crypto';
import {
  Bus,
  chainBroadcast,
  chainBroadcastChanged,
  chainGetStatus,
  chainOutputChanged,
  chainWatchOutput,
  consumeStream,
  type StreamConsumer,
} from '@seedfleet/bus';
import { createPrismaClient, deployMigrations, type PrismaClient } from '@seedfleet/persistence';
import { expect, inject } from 'vitest';
import { z } from 'zod';
import { ServiceProcess } from './service-process.js';
import { TcpProxy } from './tcp-proxy.js';
import { must, WalletBench, type Coin, type Payment } from './wallet-bench.js';

type OutputEvent = z.output<typeof chainOutputChanged.payload>;
type BroadcastEvent = z.output<typeof chainBroadcastChanged.payload>;

/** A chain-watcher process with a database of its own, a wallet to act with, and everything it said on the bus. */
export class FleetBench {
  readonly outputs: OutputEvent[] = [];
  readonly broadcasts: BroadcastEvent[] = [];

  private constructor(
    readonly bus: Bus,
    readonly service: ServiceProcess,
    private readonly environment: Readonly<Record<string, string>>,
    readonly wallet: WalletBench,
    readonly prisma: PrismaClient,
    /** Between the service and its Bitcoin node. */
    readonly nodeLink: TcpProxy,
    private readonly consumers: StreamConsumer[],
  ) {}

  static async open(options: { zmq: boolean }): Promise<FleetBench> {
    const postgresUrl = inject('postgresUrl');
    const natsUrl = inject('natsUrl');
    const rpcUrl = inject('rpcUrl');
    const zmqAddress = inject('zmqAddress');
    const name = `chain_${randomUUID().slice(0, 8)}`;
    const admin = createPrismaClient(postgresUrl, 1);
    await admin.$executeRawUnsafe(`CREATE DATABASE "${name}"`);
    await admin.$disconnect();
    const database = new URL(postgresUrl);
    database.pathname = `/${name}`;
    await deployMigrations(database.href);

    const fleetId = name.replace('_', '-');
    const nodeLink = await TcpProxy.before(rpcUrl);
    const environment = {
      SEEDFLEET_NETWORK: 'regtest',
      FLEET_ID: fleetId,
      NATS_URL: natsUrl,
      DATABASE_URL: database.href,
      BTC_RPC: nodeLink.through(rpcUrl),
      ...(options.zmq && zmqAddress !== '' ? { BTC_ZMQ: zmqAddress } : {}),
    };
    const service = new ServiceProcess(environment);
    const wallet = new WalletBench(rpcUrl);
    await wallet.ready();
    await service.start();
    const onRejected = (rejection: object): never => {
      throw new Error(JSON.stringify(rejection));
    };
    const bus = await Bus.connect({ natsUrl, fleetId, service: 'channel-service', instance: 'test', onRejected });
    const consumers: StreamConsumer[] = [];
    const bench = new FleetBench(
      bus,
      service,
      environment,
      wallet,
      createPrismaClient(database.href, 2),
      nodeLink,
      consumers,
    );
    const common = { durable: 'test', maxBatch: 50, onError: (failure: unknown) => console.error(failure) };
    consumers.push(
      await consumeStream(bus, chainOutputChanged, {
        ...common,
        handle: (batch) => Promise.resolve(void bench.outputs.push(...batch.map(({ payload }) => payload))),
      }),
      await consumeStream(bus, chainBroadcastChanged, {
        ...common,
        handle: (batch) => Promise.resolve(void bench.broadcasts.push(...batch.map(({ payload }) => payload))),
      }),
    );
    return bench;
  }

  get databaseUrl(): string {
    return this.environment['DATABASE_URL'] ?? '';
  }

  /** One more chain-watcher of the same fleet, not started. */
  another(): ServiceProcess {
    return new ServiceProcess(this.environment);
  }

  async watch(coin: Coin, label = 'test'): Promise<void> {
    const { txid, vout, script } = coin;
    expect(await this.bus.request(chainWatchOutput, { txid, vout, script, label })).toEqual({ ok: true, value: {} });
  }

  async broadcast(payment: Payment, label = 'test') {
    const reply = await this.bus.request(chainBroadcast, { txid: payment.txid, raw: payment.raw, label });
    if (!reply.ok) throw new Error(`${reply.code}: ${reply.detail}`);
    return reply.value;
  }

  /** Hands over a child with the parent that it pays for. */
  async broadcastChild(child: Payment, parent: Payment, replaces?: string) {
    const { txid, raw } = parent;
    const order = { txid: child.txid, raw: child.raw, label: 'child', parent: { txid, raw, label: 'parent' } };
    const reply = await this.bus.request(chainBroadcast, { ...order, replaces });
    if (!reply.ok) throw new Error(`${reply.code}: ${reply.detail}`);
    return reply.value;
  }

  mempool(): Promise<readonly string[]> {
    return must(this.wallet.control.wallet(z.array(z.string()), 'getrawmempool', []));
  }

  /** Waits until the newest event about an output fits. */
  outputBecomes(coin: Coin, expected: Partial<OutputEvent>): Promise<void> {
    return this.#becomes(() => this.outputsOf(coin), expected);
  }

  broadcastBecomes(payment: Payment, expected: Partial<BroadcastEvent>): Promise<void> {
    return this.#becomes(() => this.broadcastsOf(payment), expected);
  }

  outputsOf(coin: Coin): OutputEvent[] {
    return this.outputs.filter((event) => event.txid === coin.txid && event.vout === coin.vout);
  }

  broadcastsOf(payment: Payment): BroadcastEvent[] {
    return this.broadcasts.filter((event) => event.txid === payment.txid);
  }

  mine(blocks = 1): Promise<readonly string[]> {
    return must(this.wallet.control.mine(blocks));
  }

  /** Waits until the service has followed the node's whole chain. */
  async caughtUp(): Promise<void> {
    const tip = await must(this.wallet.control.wallet(z.string(), 'getbestblockhash', []));
    const followed = async () => {
      const reply = await this.bus.request(chainGetStatus, {});
      return reply.ok ? reply.value.tip.hash : reply.code;
    };
    await expect.poll(followed, { timeout: 10_000, interval: 20 }).toBe(tip);
  }

  async close(): Promise<void> {
    for (const consumer of this.consumers) await consumer.stop();
    await this.bus.close();
    await this.service.dispose();
    await this.prisma.$disconnect();
    this.nodeLink.close();
    this.wallet.close();
  }

  async #becomes(events: () => object[], expected: object): Promise<void> {
    await expect.poll(() => events().at(-1), { timeout: 10_000, interval: 20 }).toMatchObject(expected);
  }
}
