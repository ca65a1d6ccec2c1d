import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Bus,
  chainBroadcastChanged,
  chainGetStatus,
  chainOrders,
  chainOutputChanged,
  channelFund,
  channelOpen,
  channelVerdict,
  PARKED,
  paymentStream,
  streamName,
  type RequestContract,
} from '@seedfleet/bus';
import { createPrismaClient, deployMigrations, type PrismaClient } from '@seedfleet/persistence';
import { DUST_SAT, type Network } from '@seedfleet/payment-channel';
import { policyWith, settlementFeeSat } from '@seedfleet/policy';
import { expect, inject } from 'vitest';
import type { z } from 'zod';
import { feeEstimates } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import type { ChannelState } from '@seedfleet/channel-lifecycle';
import type { FundingVerdict } from '../channels/transition.js';
import type { SigningLine } from '../signing/log-lines.js';
import { readSigningLog } from '../signing/log-segments.js';
import { Regtest, type Payment } from './regtest.js';
import { ServiceProcess } from './service-process.js';
import { TestBuyer } from './test-buyer.js';

export type OpenReply = z.output<typeof channelOpen.reply>;
type OpenRequest = z.output<typeof channelOpen.request>;
type PaymentBatch = z.output<typeof paymentStream.payload>;

export const PIECES = 100;
/** Confirmed coins that a spec starts with: one for each payment that it makes before its next block. */
const COINS = 40;
/** First collectable payment under the terms of these tests, whatever fees are at the moment. */
export const K_MIN = 10;
export const K_CAP = PIECES;

/** Terms that pass the gate for 100 pieces at the settlement fee of today; the price makes kMin 10. */
function termsFor(feeSat: bigint) {
  return {
    priceSat: ((DUST_SAT + feeSat) * 10n + 98n) / 99n,
    lockUnits: 20,
    settlementFeeSat: feeSat,
    minContractFeePerKbSat: 1_000n,
    maxSellers: 5,
  } as const;
}

/** An intake and a settler with a chain-watcher and a database of their own; the test is the node and the buyer. */
export class TestFleet {
  readonly verdicts: FundingVerdict[] = [];
  readonly seedFile: string;
  readonly keyFile: string;

  private constructor(
    readonly network: Network,
    readonly fleetId: string,
    readonly folder: string,
    readonly databaseUrl: string,
    readonly prisma: PrismaClient,
    readonly regtest: Regtest,
    readonly bus: Bus,
    readonly chainWatcher: ServiceProcess,
    /** What fundings pay: enough to be mined within three blocks, on a node that other tests have used before. */
    private readonly satPerKvb: bigint,
    readonly terms: ReturnType<typeof termsFor>,
  ) {
    this.seedFile = join(folder, 'seed.json');
    this.keyFile = join(folder, 'seed.key');
    writeFileSync(this.keyFile, 'correct horse battery staple\n');
  }

  static async open(network: Network = 'regtest', chainEnvironment: Record<string, string> = {}): Promise<TestFleet> {
    const postgresUrl = inject('postgresUrl');
    const natsUrl = inject('natsUrl');
    const rpcUrl = inject('rpcUrl');
    const name = `channel_${randomUUID().slice(0, 8)}`;
    const admin = createPrismaClient(postgresUrl, 1);
    await admin.$executeRawUnsafe(`CREATE DATABASE "${name}"`);
    await admin.$disconnect();
    const database = new URL(postgresUrl);
    database.pathname = `/${name}`;
    await deployMigrations(database.href);
    const fleetId = name.replace('_', '-');
    const folder = mkdtempSync(join(tmpdir(), 'channel-service-'));
    const onRejected = (rejection: object): void => console.error(JSON.stringify(rejection));
    const bus = await Bus.connect({ natsUrl, fleetId, service: 'swarm-node', instance: 'test', onRejected });
    const common = {
      SEEDFLEET_NETWORK: network,
      FLEET_ID: fleetId,
      NATS_URL: natsUrl,
      DATABASE_URL: database.href,
      LOG_LEVEL: 'info',
    };
    const regtest = new Regtest(rpcUrl);
    await regtest.provide(COINS);
    const chainWatcher = new ServiceProcess('chain-watcher', folder, 'chain-watcher', {
      ...common,
      BTC_RPC: rpcUrl,
      ...chainEnvironment,
    });
    await chainWatcher.start();
    const status = await bus.request(chainGetStatus, {});
    if (!status.ok) throw new Error(`chain-watcher: ${status.code}`);
    const { threeBlocksSatPerKvb } = status.value.feeRates;
    const feeSat = settlementFeeSat(feeEstimates(status.value), policyWith());
    const fleet = new TestFleet(
      network,
      fleetId,
      folder,
      database.href,
      createPrismaClient(database.href, 3),
      regtest,
      bus,
      chainWatcher,
      threeBlocksSatPerKvb,
      termsFor(feeSat),
    );
    bus.subscribe(channelVerdict, [], (verdict) => void fleet.verdicts.push(verdict));
    return fleet;
  }

  /** A process of this service, not started. */
  service(role: 'intake' | 'settler' | 'all', environment: Record<string, string> = {}): ServiceProcess {
    const natsUrl = inject('natsUrl');
    const redisUrl = inject('redisUrl');
    return new ServiceProcess('channel-service', this.folder, `channel-${role}`, {
      SEEDFLEET_NETWORK: this.network,
      FLEET_ID: this.fleetId,
      NATS_URL: natsUrl,
      REDIS_URL: redisUrl,
      DATABASE_URL: this.databaseUrl,
      ROLE: role,
      // The intake is given no way to the seed at all.
      ...(role === 'intake' ? {} : { SEED_FILE: this.seedFile, SEED_KEY_FILE: this.keyFile }),
      ...environment,
    });
  }

  /** A process with the seed that signs for others, not started. */
  signer(environment: Record<string, string> = {}): ServiceProcess {
    return new ServiceProcess('channel-service', this.folder, 'channel-signer', {
      SEEDFLEET_NETWORK: this.network,
      FLEET_ID: this.fleetId,
      NATS_URL: inject('natsUrl'),
      ROLE: 'signer',
      SEED_FILE: this.seedFile,
      SEED_KEY_FILE: this.keyFile,
      SIGNING_LOG: join(this.folder, 'signing.log'),
      ...environment,
    });
  }

  /** A settler whose signer is another process: it is told of no seed. */
  remoteSettler(environment: Record<string, string> = {}): ServiceProcess {
    return this.service('settler', { SIGNER: 'remote', SEED_FILE: '', SEED_KEY_FILE: '', ...environment });
  }

  /** What the signer has written, oldest first. */
  signed(): SigningLine[] {
    const lines: SigningLine[] = [];
    readSigningLog(join(this.folder, 'signing.log'), (line) => void lines.push(line));
    return lines;
  }

  async ask<Q extends z.ZodType, A extends z.ZodType>(
    contract: RequestContract<Q, A>,
    value: z.output<Q>,
  ): Promise<z.output<A>> {
    const reply = await this.bus.request(contract, value, 10_000);
    if (!reply.ok) throw new Error(`${contract.subject}: ${reply.code} ${reply.detail}`);
    return reply.value;
  }

  join(change: Partial<OpenRequest> = {}): Promise<OpenReply> {
    return this.ask(channelOpen, {
      joinId: randomUUID(),
      nodeId: 'node-1',
      infoHash: 'ab'.repeat(20),
      pieceCount: PIECES,
      pieceLength: 16_384,
      totalBytes: PIECES * 16_384,
      termsIndex: 0,
      terms: this.terms,
      buyerTerms: { maxPriceSat: 100_000n, maxLockUnits: 20, maxContractFeePerKbSat: 1_024n, minSellers: 1 },
      peer: { address: '127.0.0.1', port: 4_000, subnet: '127.0.0.0/24', client: '-JS1080-' },
      ...change,
    });
  }

  /** What a desktop buyer deposits: all pieces and 600. kCap is then the number of pieces. */
  get valueSat(): bigint {
    return this.terms.priceSat * BigInt(PIECES) + 600n;
  }

  /** A transaction of the wallet with these outputs first, not broadcast. */
  payment(...outputs: { readonly address: string; readonly sat: bigint }[]): Promise<Payment> {
    return this.regtest.pay(outputs, this.satPerKvb);
  }

  /** The same, saying that it may be replaced. */
  replaceable(...outputs: { readonly address: string; readonly sat: bigint }[]): Promise<Payment> {
    return this.regtest.pay(outputs, this.satPerKvb, { replaceable: true });
  }

  /** The same with an unconfirmed ancestor, which is in the mempool then. */
  unconfirmed(...outputs: { readonly address: string; readonly sat: bigint }[]): Promise<Payment> {
    return this.regtest.payUnconfirmed(outputs, this.satPerKvb);
  }

  /** A joined channel and its buyer. */
  async joined(valueSat = this.valueSat): Promise<{ channelId: string; buyer: TestBuyer }> {
    const reply = await this.join();
    if (!reply.opened) throw new Error(`not opened: ${reply.code} ${reply.detail}`);
    return { channelId: reply.channelId, buyer: new TestBuyer(this.network, reply, this.terms, valueSat) };
  }

  ready(
    channelId: string,
    buyer: TestBuyer,
    txid: string,
    change: Partial<z.output<typeof channelFund.request>> = {},
  ): Promise<FundingVerdict> {
    return this.ask(channelFund, {
      nodeId: 'node-1',
      channelId,
      valueSat: buyer.valueSat,
      txid,
      vout: 0,
      buyerPublicKey: new Uint8Array(buyer.contract.publicKey),
      buyerKeyHash: new Uint8Array(buyer.payout.keyHash),
      ...change,
    });
  }

  /** A channel whose funding is mined and served. */
  async funded(): Promise<{ channelId: string; buyer: TestBuyer; txid: string }> {
    const { channelId, buyer } = await this.joined();
    const payment = await this.payment({ address: buyer.fundingAddress(), sat: buyer.valueSat });
    await this.regtest.send(payment);
    await this.ready(channelId, buyer, payment.txid);
    await this.regtest.mine();
    await this.becomes(channelId, 'funded');
    buyer.funded(payment.txid);
    return { channelId, buyer, txid: payment.txid };
  }

  /** Channels whose fundings are outputs of one transaction. */
  async fundedTogether(count: number): Promise<{ channelId: string; buyer: TestBuyer }[]> {
    const channels: { channelId: string; buyer: TestBuyer }[] = [];
    for (let place = 0; place < count; place += 1) channels.push(await this.joined());
    const outputs = channels.map(({ buyer }) => ({ address: buyer.fundingAddress(), sat: buyer.valueSat }));
    const { txid, hex } = await this.payment(...outputs);
    await this.regtest.send({ txid, hex });
    await this.regtest.mine();
    for (const [vout, { channelId, buyer }] of channels.entries()) {
      await this.ready(channelId, buyer, txid, { vout });
      await this.becomes(channelId, 'funded');
      buyer.funded(txid, vout);
    }
    return channels;
  }

  /** Publishes as a node does; resolves with the sequence that the broker gave it. */
  async publish(batch: Partial<PaymentBatch>, nodeId = 'node-1'): Promise<number> {
    const payload = { nodeId, payments: [], ends: [], ...batch };
    const { seq } = await this.bus.store(paymentStream, ['0', nodeId], payload);
    return seq;
  }

  /** Waits until everything up to a sequence is committed. */
  async committed(seq: number): Promise<void> {
    await expect
      .poll(
        async () => {
          const rows = await this.prisma.paymentWatermark.findMany();
          return rows[0]?.committedSeq ?? 0n;
        },
        { timeout: 40_000, interval: 20 },
      )
      .toBeGreaterThanOrEqual(BigInt(seq));
  }

  async row(channelId: string): Promise<ChannelRow> {
    const rows = await this.prisma.$queryRaw<ChannelRow[]>`
      SELECT * FROM "channel"."channel" WHERE "id" = ${channelId}::uuid`;
    const row = rows[0];
    if (row === undefined) throw new Error(`no channel ${channelId}`);
    return row;
  }

  async becomes(channelId: string, state: ChannelState): Promise<ChannelRow> {
    await expect.poll(async () => (await this.row(channelId)).state, { timeout: 40_000, interval: 50 }).toBe(state);
    return this.row(channelId);
  }

  /** The states of a channel in the order they were entered, with their reasons. */
  async story(channelId: string): Promise<string[]> {
    const events = await this.prisma.channelEvent.findMany({ where: { channelId }, orderBy: { version: 'asc' } });
    return events.map(({ state, reason }) => `${state}:${reason}`);
  }

  async close(...services: ServiceProcess[]): Promise<void> {
    for (const service of services) await service.end('SIGTERM');
    await this.chainWatcher.end('SIGTERM');
    await this.deleteStreams();
    await this.bus.close();
    await this.prisma.$disconnect();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The broker reserves the whole size of a stream, so the streams of many tests would fill it. */
  private async deleteStreams(): Promise<void> {
    for (const contract of [paymentStream, chainOutputChanged, chainBroadcastChanged, chainOrders, PARKED]) {
      await this.bus.connection.request(`$JS.API.STREAM.DELETE.${streamName(this.bus, contract)}`);
    }
  }
}
