import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createMetainfo,
  createPeerId,
  dialPeer,
  parseMetainfo,
  PieceSet,
  type Metainfo,
  type Peer,
} from '@seedfleet/bittorrent';
import { Bus } from '@seedfleet/bus';
import { createLogger, createRegistry, HealthRegistry } from '@seedfleet/service-kit';
import {
  decodeMessage,
  encodeExtendedHandshake,
  encodePayload,
  MESSAGE_ID,
  readExtendedHandshake,
  type Message,
} from '@seedfleet/wire';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { swarmNodeConfig } from './config.js';
import { SwarmNode } from './node.js';
import { FakeFleet } from './testing/fake-fleet.js';

const PIECE = 64 * 1024;
const WAIT = { timeout: 20_000 };
const fleetId = `test-${randomUUID().slice(0, 8)}`;
const terms = { maxContractFeePerKb: 1024n, maxLock: 40, maxPrice: 1_000_000n, minNumberOfSellers: 1 };
const offer = {
  version: 1,
  priceSat: 100n,
  lockUnits: null,
  settlementFeeSat: null,
  minContractFeePerKbSat: 1_000n,
  maxSellers: 5,
  freeTier: null,
};

let folder: string;
let fleet: FakeFleet;
let bus: Bus;
let node: SwarmNode;
let film: Metainfo;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-node-'));
  const natsUrl = inject('natsUrl');
  fleet = await FakeFleet.start(natsUrl, fleetId);
  const contentPath = join(folder, 'film');
  await writeFile(contentPath, Buffer.alloc(4 * PIECE, 'film'));
  const torrent = await createMetainfo(contentPath, { pieceLengthBytes: PIECE });
  const parsed = parseMetainfo(torrent);
  if (!parsed.ok) throw new Error(parsed.error.code);
  film = parsed.value;
  const { infoHash } = film;
  fleet.metainfo.set(infoHash, torrent);
  fleet.assignments.push({
    infoHash,
    state: 'active',
    version: 1,
    metainfoBytes: torrent.length,
    contentPath,
    offer,
  });
  const connection = { natsUrl, fleetId, service: 'swarm-node', instance: 'test', onRejected: () => undefined };
  bus = await Bus.connect({ ...connection, service: 'swarm-node' });
  const config = swarmNodeConfig.parse({
    SEEDFLEET_NETWORK: 'regtest',
    FLEET_ID: fleetId,
    NATS_URL: natsUrl,
    NODE_ID: 'node-1',
    // Both families.
    PEER_HOST: '::',
    DATA_DIR: folder,
    DRAIN_MS: '300',
  });
  const logger = createLogger('swarm-node', process.env['TEST_LOG'] ?? 'fatal');
  const registry = createRegistry('swarm-node');
  node = await SwarmNode.open({ config, logger, registry, health: new HealthRegistry(), bus });
  node.start();
  const state = (): unknown => fleet.reports.findLast((report) => report.infoHash === infoHash)?.state;
  await vi.waitFor(() => expect(state()).toBe('on-sale'), WAIT);
});

afterAll(async () => {
  await node.stop();
  await bus.close();
  await fleet.stop();
  await rm(folder, { recursive: true });
});

/** A peer that does by hand what a client does. */
class Hand {
  readonly handshakes: Uint8Array[] = [];
  readonly messages: Message[] = [];
  closed: string | undefined;

  private constructor(readonly peer: Peer) {
    peer.on('extendedHandshake', (body) => this.handshakes.push(body));
    peer.on('extended', (id, payload) => {
      const decoded = decodeMessage(id, payload, () => true);
      if (!decoded.ok) throw new Error(`${id}: ${decoded.code}`);
      this.messages.push(decoded.message);
    });
    peer.on('closed', (reason) => (this.closed = reason));
    peer.start();
  }

  static async dial(host = '127.0.0.1'): Promise<Hand> {
    const { infoHash, pieceCount } = film;
    const dialled = await dialPeer({
      host,
      port: Number(node.peerAddress.split(':').at(-1)),
      peerId: createPeerId(),
      torrent: { infoHash, pieceCount, have: new PieceSet(pieceCount), extended: { limitBytes: () => 256 } },
    });
    if (!dialled.ok) throw new Error(dialled.error);
    return new Hand(dialled.value);
  }

  say(kind: 'install' | 'uninstall'): void {
    this.peer.sendExtendedHandshake(encodeExtendedHandshake({ kind }));
  }

  buy(): void {
    this.peer.sendExtended(MESSAGE_ID.buy, encodePayload({ type: 'buy', terms }));
  }

  get offers(): bigint[] {
    return this.messages.flatMap((message) => (message.type === 'sell' ? [message.terms.minPrice] : []));
  }
}

async function setPrice(version: number, priceSat: bigint): Promise<void> {
  Object.assign(fleet.assignments[0] ?? {}, { offer: { ...offer, version, priceSat } });
  await node.syncAssignments();
}

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));

describe('the handshake of a live node', () => {
  it('goes out once with ids 60 to 70, and no message before the peer has installed, however late', async () => {
    const hand = await Hand.dial();
    // An ordinary client's own handshake comes first; it claims nothing of ours.
    hand.peer.sendExtendedHandshake(Buffer.from('d1:md11:ut_metadatai3e6:ut_pexi1eee'));
    await moment();
    expect([hand.handshakes.length, hand.messages]).toEqual([1, []]);
    const ours = readExtendedHandshake(hand.handshakes[0] ?? new Uint8Array());
    expect(ours).toMatchObject({ ok: true, extension: { kind: 'install', ids: MESSAGE_ID } });
    expect(Object.values(MESSAGE_ID).sort()).toEqual([60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70]);
    hand.say('install');
    hand.buy();
    await expect.poll(() => hand.offers, WAIT).toEqual([100n]);
    expect(hand.handshakes).toHaveLength(1);
    hand.peer.close();
  });

  it('survives repeated handshakes, is silent after an uninstall, and sells again after a new install', async () => {
    const hand = await Hand.dial();
    hand.say('install');
    hand.say('install');
    hand.buy();
    await expect.poll(() => hand.offers, WAIT).toEqual([100n]);
    hand.say('install');
    hand.say('uninstall');
    await moment();
    await setPrice(2, 70n);
    await moment();
    // A new price is news for those who listen only.
    expect([hand.offers, hand.closed]).toEqual([[100n], undefined]);
    hand.say('install');
    hand.buy();
    await expect.poll(() => hand.offers.at(-1), WAIT).toBe(70n);
    expect([hand.handshakes.length, hand.closed]).toEqual([1, undefined]);
    hand.peer.close();
    await setPrice(3, 100n);
  });

  it('is the same over IPv6 and IPv4', async () => {
    for (const host of ['::1', '127.0.0.1']) {
      const hand = await Hand.dial(host);
      hand.say('install');
      hand.buy();
      await expect.poll(() => hand.offers, WAIT).toEqual([100n]);
      hand.peer.close();
    }
  });
});
