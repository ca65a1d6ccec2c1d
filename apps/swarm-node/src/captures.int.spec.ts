import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetainfo, parseMetainfo } from '@seedfleet/bittorrent';
import { Bus } from '@seedfleet/bus';
import { createLogger, createRegistry, HealthRegistry } from '@seedfleet/service-kit';
import { encodeFrame, MESSAGE_ID, type Message, type SellerTerms } from '@seedfleet/wire';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { swarmNodeConfig } from './config.js';
import { SwarmNode } from './node.js';
import { messageReader, readCapture, type Capture, type CapturedEvent } from './testing/capture.js';
import { FakeFleet } from './testing/fake-fleet.js';

const PIECE = 16_384;
/** Smallest amount that is relayed: payments beyond it can't be settled, so the node ends the channel there. */
const DUST_SAT = 546n;
const WAIT = { timeout: 30_000, interval: 10 };

let folder: string;
let fleet: FakeFleet;
let bus: Bus;
let node: SwarmNode;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-captures-'));
  const natsUrl = inject('natsUrl');
  const fleetId = `test-${randomUUID().slice(0, 8)}`;
  fleet = await FakeFleet.start(natsUrl, fleetId);
  bus = await Bus.connect({
    natsUrl,
    fleetId,
    service: 'swarm-node',
    instance: 'test',
    onRejected: () => undefined,
  });
  const config = swarmNodeConfig.parse({
    SEEDFLEET_NETWORK: 'regtest',
    FLEET_ID: fleetId,
    NATS_URL: natsUrl,
    NODE_ID: 'node-1',
    DATA_DIR: folder,
    DRAIN_MS: '300',
  });
  const logger = createLogger('swarm-node', process.env['TEST_LOG'] ?? 'fatal');
  const registry = createRegistry('swarm-node');
  node = await SwarmNode.open({ config, logger, registry, health: new HealthRegistry(), bus });
  node.start();
});

afterAll(async () => {
  await node.stop();
  await bus.close();
  await fleet.stop();
  await rm(folder, { recursive: true });
});

/** The reference buyer of a capture at a live node: it sends what was captured, once it has heard what came before. */
class CapturedBuyer {
  readonly heard: Message[] = [];
  /** Nobody can name the node's message ids before its extended handshake has come. */
  isGreeted = false;
  closed = false;
  private readonly socket = connect({ host: '127.0.0.1', port: Number(node.peerAddress.split(':').at(-1)) });

  constructor() {
    const read = messageReader();
    this.socket.on('data', (bytes: Buffer) => {
      const { messages, shakes } = read(bytes);
      this.heard.push(...messages);
      this.isGreeted ||= shakes;
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.closed = true));
  }

  async connected(): Promise<void> {
    await once(this.socket, 'connect');
  }

  /** As captured, but for the terms that it joins: those that this node said last. */
  send({ bytes, messages }: Extract<CapturedEvent, { from: 'buyer' }>): void {
    const join = messages.find((message) => message.type === 'join_contract');
    if (join === undefined) return void this.socket.write(bytes);
    if (messages.length > 1) throw new Error('a join among other messages');
    this.socket.write(encodeFrame({ ...join, index: this.lastOffer?.index ?? join.index }, MESSAGE_ID).header);
  }

  end(): void {
    this.socket.end();
  }

  get lastOffer() {
    return this.heard.findLast((message) => message.type === 'sell');
  }

  count(type: Message['type']): number {
    return this.heard.filter((message) => message.type === type).length;
  }
}

function offerOf(version: number, terms: SellerTerms) {
  return {
    version,
    priceSat: terms.minPrice,
    lockUnits: terms.minLock,
    settlementFeeSat: terms.settlementFee,
    minContractFeePerKbSat: terms.minContractFeePerKb,
    maxSellers: terms.maxSellers,
    freeTier: null,
  };
}

/** Puts content of the captured size on sale at the captured terms; answers how to change these. */
async function sell(
  name: string,
  totalBytes: number,
): Promise<{ infoHash: string; setTerms: (t: SellerTerms) => void }> {
  const contentPath = join(folder, name);
  await writeFile(contentPath, Buffer.alloc(totalBytes, name));
  const torrent = await createMetainfo(contentPath, { pieceLengthBytes: PIECE });
  const parsed = parseMetainfo(torrent);
  if (!parsed.ok) throw new Error(parsed.error.code);
  const { infoHash } = parsed.value;
  fleet.metainfo.set(infoHash, torrent);
  let version = 0;
  const setTerms = (terms: SellerTerms): void => {
    const offer = offerOf(++version, terms);
    const known = fleet.assignments.find((assignment) => assignment.infoHash === infoHash);
    if (known !== undefined) Object.assign(known, { offer });
    else {
      const state = 'active' as const;
      fleet.assignments.push({ infoHash, state, version: 1, metainfoBytes: torrent.length, contentPath, offer });
    }
    void node.syncAssignments();
  };
  return { infoHash, setTerms };
}

const messagesOf = ({ events }: Capture): Message[] => events.flatMap(({ messages }) => messages);

describe('a captured sale of the reference, bought again from a live node', () => {
  it.each(['modes', 'small-speedtest', 'terms-update'])(
    '%s',
    async (name) => {
      const shape = readCapture(name, '00'.repeat(20));
      const { infoHash, setTerms } = await sell(name, shape.totalBytes);
      const capture = readCapture(name, infoHash);
      const all = messagesOf(capture);
      const joined = all.findLast((message) => message.type === 'joining_contract')!;
      fleet.seller = { publicKey: Buffer.from(joined.sellerPublicKey), keyHash: Buffer.from(joined.sellerKeyHash) };
      const offers = all.filter((message) => message.type === 'sell');
      setTerms(offers[0]!.terms);
      const state = (): unknown => fleet.reports.findLast((report) => report.infoHash === infoHash)?.state;
      await vi.waitFor(() => expect(state()).toBe('on-sale'), WAIT);

      const ready = all.find((message) => message.type === 'ready');
      const payments = all.filter((message) => message.type === 'payment');
      const lastPrice = offers.at(-1)!.terms.minPrice;
      const good = ready === undefined ? 0 : Math.min(payments.length, Number((ready.value - DUST_SAT) / lastPrice));

      const buyer = new CapturedBuyer();
      await buyer.connected();
      const said = new Map<string, number>();
      const count = (type: string): number => said.get(type) ?? 0;
      let paid = 0;
      let terms = offers[0]!.terms;
      for (const event of capture.events) {
        if (event.from === 'buyer') {
          const pays = event.messages.filter(({ type }) => type === 'payment').length;
          // It pays for what came, and the node's own window opens with payments only.
          const pieces = pays === 0 ? 0 : Math.min(count('full_piece'), paid + 1, good);
          await vi.waitFor(() => expect(buyer.count('full_piece')).toBeGreaterThanOrEqual(pieces), WAIT);
          paid += pays;
          buyer.send(event);
          continue;
        }
        await vi.waitFor(() => expect(buyer.isGreeted).toBe(true), WAIT);
        for (const message of event.messages) {
          said.set(message.type, count(message.type) + 1);
          if (message.type === 'full_piece') continue;
          if (message.type === 'sell') {
            if (message.terms.minPrice !== terms.minPrice) setTerms(message.terms);
            ({ terms } = message);
            await vi.waitFor(() => expect(buyer.lastOffer?.terms).toEqual(terms), WAIT);
          } else {
            const wanted = count(message.type);
            await vi.waitFor(() => expect([buyer.count(message.type), buyer.closed]).toEqual([wanted, false]), WAIT);
            if (message.type !== 'speedTestPayload') expect(buyer.heard.at(-1)).toEqual(message);
          }
        }
      }
      if (good === 0) return buyer.end();
      const { channelId } = fleet.opened.at(-1)!;
      await vi.waitFor(() => expect(buyer.count('full_piece')).toBeGreaterThanOrEqual(good), WAIT);
      buyer.end();
      const ending = () => fleet.ends.find((end) => end.channelId === channelId);
      await vi.waitFor(() => expect(ending()?.k).toBe(good), WAIT);
      const newest = fleet.payments.findLast((payment) => payment.channelId === channelId);
      expect([newest?.k, hex(newest?.signature)]).toEqual([good, hex(payments[good - 1]?.signature)]);
      const piece = buyer.heard.find((message) => message.type === 'full_piece');
      expect(hex(piece?.data)).toBe(hex(Buffer.alloc(PIECE, name)));
    },
    60_000,
  );
});

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
