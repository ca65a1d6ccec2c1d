import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetainfo, createPeerId, Discovery, parseMetainfo, UtpPort, type Metainfo } from '@seedfleet/bittorrent';
import { Bus, channelVerdict, offersChanged, torrentsTakenDown } from '@seedfleet/bus';
import { createLogger, createRegistry, HealthRegistry, type Registry } from '@seedfleet/service-kit';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import WebTorrent from 'webtorrent';
import { swarmNodeConfig } from './config.js';
import { SwarmNode } from './node.js';
import { FakeFleet } from './testing/fake-fleet.js';
import { GENEROUS, TestBuyer } from './testing/test-buyer.js';

const PIECE = 64 * 1024;
const fleetId = `test-${randomUUID().slice(0, 8)}`;
const offer = {
  version: 1,
  priceSat: 100n,
  lockUnits: null,
  settlementFeeSat: null,
  minContractFeePerKbSat: 1_000n,
  maxSellers: 5,
  freeTier: null as { readonly bytesPerDay: number; readonly bytesPerPeerDay: number } | null,
};

let folder: string;
let fleet: FakeFleet;
let node: SwarmNode;
let bus: Bus;
let registry: Registry;
let health: HealthRegistry;
let film: Metainfo;
let content: Buffer;

async function assign(name: string, pieces: number, announce: string[] = []): Promise<Metainfo> {
  const path = join(folder, name);
  await writeFile(path, Buffer.alloc(pieces * PIECE - 1000, name));
  const torrent = await createMetainfo(path, { pieceLengthBytes: PIECE, announce });
  const parsed = parseMetainfo(torrent);
  if (!parsed.ok) throw new Error(parsed.error.code);
  fleet.metainfo.set(parsed.value.infoHash, torrent);
  fleet.assignments.push({
    infoHash: parsed.value.infoHash,
    state: 'active',
    version: 1,
    metainfoBytes: torrent.length,
    contentPath: path,
    offer,
  });
  return parsed.value;
}

function port(): number {
  return Number(node.peerAddress.split(':').at(-1));
}

async function startNode(): Promise<void> {
  registry = createRegistry('swarm-node');
  health = new HealthRegistry();
  bus = await Bus.connect({
    natsUrl: inject('natsUrl'),
    fleetId,
    service: 'swarm-node',
    instance: 'test',
    onRejected: ({ code, subject, detail }) => {
      throw new Error(`${code} on ${subject}: ${detail}`);
    },
  });
  const config = swarmNodeConfig.parse({
    SEEDFLEET_NETWORK: 'regtest',
    FLEET_ID: fleetId,
    NATS_URL: inject('natsUrl'),
    NODE_ID: 'node-1',
    DATA_DIR: join(folder, 'node-1'),
    DRAIN_MS: '300',
  });
  const logger = createLogger('swarm-node', process.env['TEST_LOG'] ?? 'fatal');
  node = await SwarmNode.open({ config, logger, registry, health, bus });
  node.start();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-node-'));
  await mkdir(join(folder, 'node-1'));
  fleet = await FakeFleet.start(inject('natsUrl'), fleetId);
  film = await assign('film', 20);
  content = await readFile(join(folder, 'film'));
  await startNode();
  await vi.waitFor(async () => expect(await health.report()).toMatchObject({ status: 'ok' }), { timeout: 10_000 });
  await onSale(film);
});

afterAll(async () => {
  await node.stop();
  await bus.close();
  await fleet.stop();
  await rm(folder, { recursive: true });
});

async function onSale(metainfo: Metainfo, state = 'on-sale'): Promise<void> {
  const latest = (): unknown => fleet.reports.findLast(({ infoHash }) => infoHash === metainfo.infoHash)?.state;
  await vi.waitFor(() => expect(latest()).toBe(state), { timeout: 10_000 });
}

interface Leech {
  readonly name: string;
  readonly downloaded: number;
  readonly numPeers: number;
}

/** An ordinary client that has connected to the node. */
async function withLeech(
  metainfo: Metainfo,
  name: string,
  use: (leech: Leech, wires: readonly { readonly peerChoking: boolean }[]) => Promise<void>,
  source: Uint8Array | string = fleet.metainfo.get(metainfo.infoHash) ?? '',
): Promise<void> {
  const client = new WebTorrent({
    dht: false,
    tracker: false,
    lsd: false,
    utp: false,
    // Encrypted, or not at all.
    secure: 2,
    natUpnp: false,
    natPmp: false,
  });
  const leech = await new Promise<Parameters<Parameters<typeof client.add>[2]>[0]>((resolve) =>
    client.add(source, { path: join(folder, name) }, resolve),
  );
  const wires: { readonly peerChoking: boolean }[] = [];
  leech.on('wire', (wire) => wires.push(wire));
  leech.addPeer(`127.0.0.1:${port()}`);
  await expect.poll(() => leech.numPeers, { timeout: 10_000 }).toBe(1);
  await use(leech, wires);
  await new Promise<void>((resolve) => client.destroy(resolve));
}

async function finished(buyer: TestBuyer): Promise<void> {
  buyer.step({ type: 'observe' });
  await expect.poll(() => buyer.closed).toBeDefined();
}

describe('a node on a real broker', () => {
  it('sells a whole torrent: each piece paid, each payment in the stream, then the end', async () => {
    const buyer = await TestBuyer.dial(port(), film, { testBytes: 500_000 });
    await expect.poll(() => buyer.complete, { timeout: 10_000 }).toBe(true);
    const bytes = Buffer.concat(
      Array.from({ length: film.pieceCount }, (_, at) => buyer.pieces.get(at) ?? Buffer.of()),
    );
    expect(bytes.equals(content)).toBe(true);
    await finished(buyer);
    expect(buyer.offers).toEqual([
      { minPrice: 100n, minLock: 40, settlementFee: 434n, minContractFeePerKb: 1_000n, maxSellers: 5 },
    ]);
    const { channelId } = fleet.opened.at(-1) ?? { channelId: '' };
    await expect.poll(() => fleet.ends).toContainEqual({ channelId, k: film.pieceCount, reason: 'channel-exhausted' });
    const ks = fleet.payments.filter((payment) => payment.channelId === channelId).map(({ k }) => k);
    expect(ks.at(-1)).toBe(film.pieceCount);
    expect(ks).toEqual([...ks].sort((a, b) => a - b));
    const metrics = await registry.metrics();
    expect(metrics).toMatch(/seedfleet_node_pieces_sent_total\{.*\} 20/);
    expect(metrics).toMatch(/seedfleet_node_speed_tests_total\{verdict="answered".*\} 1/);
    await expect.poll(() => registry.metrics(), { timeout: 3_000 }).toMatch(/seedfleet_node_exposure_bytes\{.*\} 0/);
  });

  it('sells it over an encrypted connection too', async () => {
    const buyer = await TestBuyer.dial(port(), film, { encryption: 'require' });
    await expect.poll(() => buyer.complete, { timeout: 10_000 }).toBe(true);
    expect(buyer.peer.protection).toBe('everything');
    await finished(buyer);
  });

  it('sells it over uTP too', async () => {
    const utp = await UtpPort.open('127.0.0.1', 0, () => undefined);
    if (!utp.ok) throw new Error(utp.error);
    const buyer = await TestBuyer.dial(port(), film, { utp: utp.value, encryption: 'require' });
    await expect.poll(() => buyer.complete, { timeout: 20_000 }).toBe(true);
    await finished(buyer);
    utp.value.close();
  });

  it('gives a buyer that does not pay one piece, and not a byte more', async () => {
    const buyer = await TestBuyer.dial(port(), film, { payAtMost: 0 });
    await expect.poll(() => buyer.pieces.size).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(buyer.pieces.size).toBe(1);
    buyer.peer.close();
    const { channelId } = fleet.opened.at(-1) ?? { channelId: '' };
    await expect.poll(() => fleet.ends).toContainEqual({ channelId, k: 0, reason: 'disconnected' });
  });

  it('serves within an allowance until the verdict changes, and drops an older one', async () => {
    fleet.verdict = { kind: 'allowance', allowanceBytes: 2 * PIECE, version: 5 };
    const buyer = await TestBuyer.dial(port(), film);
    await expect.poll(() => buyer.pieces.size).toBe(2);
    const { channelId } = fleet.funded.at(-1) ?? { channelId: '' };
    fleet.bus.publish(channelVerdict, ['node-1'], {
      ...fleet.verdictFor(channelId),
      kind: 'all',
      version: 4,
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(buyer.pieces.size).toBe(2);
    fleet.bus.publish(channelVerdict, ['node-1'], { ...fleet.verdictFor(channelId), kind: 'all', version: 6 });
    await expect.poll(() => buyer.complete).toBe(true);
    fleet.verdict = {};
    await finished(buyer);
  });

  it('ends a channel at its deadline by the chain clock', async () => {
    fleet.verdict = { deadlineMtp: fleet.medianTimePast + 600 };
    const buyer = await TestBuyer.dial(port(), film, { payAtMost: 1 });
    await expect.poll(() => buyer.pieces.size).toBeGreaterThan(0);
    fleet.medianTimePast += 600;
    await expect.poll(() => buyer.closed, { timeout: 5_000 }).toBe('remote');
    const { channelId } = fleet.funded.at(-1) ?? { channelId: '' };
    await expect.poll(() => fleet.ends).toContainEqual({ channelId, k: 1, reason: 'deadline' });
    fleet.verdict = {};
  });

  it('ends a channel that a person closed as its deadline would, and blames the buyer for nothing', async () => {
    const buyer = await TestBuyer.dial(port(), film, { payAtMost: 1 });
    await expect.poll(() => buyer.pieces.size).toBeGreaterThan(0);
    const { channelId } = fleet.funded.at(-1) ?? { channelId: '' };
    const refusal = { ...fleet.verdictFor(channelId), kind: 'refuse', code: 'operator', version: 9 } as const;
    fleet.bus.publish(channelVerdict, ['node-1'], refusal);
    await expect.poll(() => buyer.closed, { timeout: 5_000 }).toBe('remote');
    await expect.poll(() => fleet.ends).toContainEqual({ channelId, k: 1, reason: 'operator' });
  });

  it('refuses funding and joins with the reason that the books give', async () => {
    fleet.verdict = { kind: 'refuse', code: 'output-missing' };
    const unfunded = await TestBuyer.dial(port(), film);
    await expect.poll(() => unfunded.closed).toBe('remote');
    expect(unfunded.pieces.size).toBe(0);
    fleet.verdict = {};
    fleet.refusal = 'fee-share-too-high';
    const refused = await TestBuyer.dial(port(), film);
    await expect.poll(() => refused.closed).toBe('remote');
    fleet.refusal = undefined;
    expect(await registry.metrics()).toMatch(/seedfleet_node_joins_refused_total\{code="fee-share-too-high".*\} 1/);
  });

  it('tells the books of a join that nobody funded', async () => {
    const buyer = await TestBuyer.dial(port(), film);
    const joined = fleet.opened.length;
    buyer.peer.close();
    // Whether the join was answered before or after the buyer left, no channel stays open.
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const { channelId } of fleet.opened.slice(joined)) {
      expect(fleet.ends.map((end) => end.channelId)).toContain(channelId);
    }
  });

  it('follows its assignments: new torrents, changed offers, withdrawal', async () => {
    const second = await assign('second', 4);
    await node.syncAssignments();
    await onSale(second);
    const waiting = await TestBuyer.dial(port(), second, { terms: { ...cheap } });
    await expect.poll(() => waiting.offers.length).toBe(1);
    const assignment = fleet.assignments.find(({ infoHash }) => infoHash === second.infoHash);
    if (assignment === undefined) throw new Error('not assigned');
    assignment.offer = { ...offer, version: 2, priceSat: 50n };
    await node.syncAssignments();
    await expect.poll(() => waiting.offers.at(-1)?.minPrice).toBe(50n);
    await expect.poll(() => waiting.complete).toBe(true);
    await finished(waiting);

    fleet.assignments.splice(fleet.assignments.indexOf(assignment), 1);
    await node.syncAssignments();
    await expect(TestBuyer.dial(port(), second)).rejects.toThrow('remote');
  });

  it('sells at new terms as soon as it hears of them, and a running channel goes on at its own', async () => {
    const { infoHash } = film;
    const { version } = fleet.assignments.find((assignment) => assignment.infoHash === infoHash) ?? { version: 1 };
    const news = (offerVersion: number, priceSat: bigint) => {
      const torrent = {
        infoHash,
        version,
        state: 'active' as const,
        offer: { ...offer, version: offerVersion, priceSat },
      };
      fleet.bus.publish(offersChanged, [], { torrents: [torrent] });
    };
    fleet.verdict = { kind: 'allowance', allowanceBytes: 2 * PIECE, version: 5 };
    const running = await TestBuyer.dial(port(), film);
    await expect.poll(() => running.pieces.size).toBe(2);
    const waiting = await TestBuyer.dial(port(), film, { terms: { ...GENEROUS.terms, maxPrice: 10n } });
    await expect.poll(() => waiting.offers.length).toBe(1);
    news(9, 70n);
    await expect.poll(() => waiting.offers.at(-1)?.minPrice).toBe(70n);
    news(8, 30n);
    const { channelId } = fleet.funded.at(-1) ?? { channelId: '' };
    fleet.bus.publish(channelVerdict, ['node-1'], { ...fleet.verdictFor(channelId), kind: 'all', version: 6 });
    await expect.poll(() => running.complete, { timeout: 10_000 }).toBe(true);
    const told = running.offers.map(({ minPrice }) => minPrice);
    expect(new Set(told).size).toBe(1);
    expect(fleet.opened.find((opened) => opened.channelId === channelId)?.terms.priceSat).toBe(told[0]);
    expect(waiting.offers.at(-1)?.minPrice).toBe(70n);
    fleet.verdict = {};
    waiting.peer.close();
    await finished(running);
    // What the fleet says when it is asked counts: news are only quicker.
    await node.syncAssignments();
    const later = await TestBuyer.dial(port(), film, { terms: { ...GENEROUS.terms, maxPrice: 10n } });
    await expect.poll(() => later.offers.at(-1)?.minPrice).toBe(told[0]);
    later.peer.close();
  });

  it('fails fast on content that changed on disk, and sells it again once it is repaired', async () => {
    const third = await assign('third', 4);
    await node.syncAssignments();
    await onSale(third);
    await truncate(join(folder, 'third'), PIECE - 1);
    const unlucky = await TestBuyer.dial(port(), third);
    await expect.poll(() => unlucky.closed, { timeout: 5_000 }).toBe('remote');
    await onSale(third, 'corrupt');
    await writeFile(join(folder, 'third'), Buffer.alloc(4 * PIECE - 1000, 'third'));
    await node.syncAssignments();
    await onSale(third);
  });

  it('gives an ordinary client nothing, and stays', async () => {
    await withLeech(film, 'leech', async (leech, wires) => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect([wires[0]?.peerChoking, leech.downloaded, leech.numPeers]).toEqual([true, 0, 1]);
    });
  });

  it('gives magnet links their metadata', async () => {
    const magnet = `magnet:?xt=urn:btih:${film.infoHash}&x.pe=127.0.0.1:${port()}`;
    const check = async (leech: Leech): Promise<void> => expect(leech.name).toBe('film');
    await withLeech(film, 'magnet', check, magnet);
    expect(await registry.metrics()).toMatch(/seedfleet_node_metadata_parts_total\{verdict="sent".*\} 1/);
  });

  it('gives away of a torrent with a free tier what its caps allow, and nothing once it is switched off', async () => {
    const sample = await assign('sample', 16);
    const assignment = fleet.assignments.at(-1)!;
    const bytesPerPeerDay = 5 * PIECE;
    const setOffer = async (version: number, freeTier: typeof offer.freeTier): Promise<void> => {
      fleet.assignments[fleet.assignments.indexOf(assignment)] = Object.assign(assignment, {
        offer: { ...offer, version, freeTier },
      });
      await node.syncAssignments();
    };
    await setOffer(2, { bytesPerDay: 8 * PIECE, bytesPerPeerDay });
    await onSale(sample);
    await withLeech(sample, 'taster', async (leech, wires) => {
      await expect.poll(() => leech.downloaded, { timeout: 30_000 }).toBe(bytesPerPeerDay);
      await expect.poll(() => wires[0]?.peerChoking).toBe(true);
    });
    // The same address again: it has had its bytes of the day.
    await withLeech(sample, 'again', async (leech, wires) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect([wires[0]?.peerChoking, leech.downloaded]).toEqual([true, 0]);
      await setOffer(3, { bytesPerDay: 8 * PIECE, bytesPerPeerDay: 100 * PIECE });
      await expect.poll(() => leech.downloaded, { timeout: 30_000 }).toBe(3 * PIECE);
      await setOffer(4, null);
      await expect.poll(() => wires[0]?.peerChoking).toBe(true);
    });
    const given = new RegExp(`seedfleet_node_free_sent_bytes_total\\{.*\\} ${8 * PIECE}\\b`);
    expect(await registry.metrics()).toMatch(given);
  });

  it('announces itself to trackers and in the DHT, dials who it finds, and sells to him', async () => {
    const asked: URLSearchParams[] = [];
    const peers = Buffer.from([127, 0, 0, 1, 0, 0]);
    const tracker = createServer((request, response) => {
      asked.push(new URL(request.url ?? '', 'http://tracker').searchParams);
      response.end(Buffer.concat([Buffer.from('d8:intervali1800e5:peers6:'), peers, Buffer.from('e')]));
    }).listen(0, '127.0.0.1');
    await once(tracker, 'listening');
    const url = `http://127.0.0.1:${(tracker.address() as AddressInfo).port}/announce`;
    const rare = await assign('rare', 3, [url]);
    const buyer = await TestBuyer.listen(rare);
    peers.writeUInt16BE(buyer.port, 4);
    await node.syncAssignments();
    await expect.poll(() => buyer.buyers[0]?.complete, { timeout: 20_000 }).toBe(true);
    expect(buyer.buyers[0]?.peer.protection).toBe('handshake');
    expect([asked[0]?.get('port'), asked[0]?.get('left'), asked[0]?.get('event')]).toEqual([
      String(port()),
      '0',
      'started',
    ]);
    const found = new Set<string>();
    const stranger = await Discovery.open({
      peerId: createPeerId(),
      host: '127.0.0.1',
      dht: { port: 0, bootstrap: [`127.0.0.1:${node.dhtPort}`] },
      trackers: 'off',
      allowLocal: true,
      lookupEveryMs: 500,
      onPeers: (_infoHash, peers, source) => peers.forEach((peer) => found.add(`${source} ${peer.port}`)),
    });
    if (!stranger.ok) throw new Error(stranger.error.code);
    stranger.value.add({ ...rare, announce: [], port: null, leftBytes: 1 });
    await expect
      .poll(() => [...found].sort(), { timeout: 20_000 })
      .toEqual([`dht ${port()}`, `dht-secondary ${port()}`]);
    await stranger.value.stop();
    expect(node.dhtPort).toBe(port());
    // One connection per address, however often it is found.
    expect(buyer.buyers).toHaveLength(1);
    buyer.close();
    buyer.buyers[0]?.peer.close();
    fleet.assignments.pop();
    await node.syncAssignments();
    await expect.poll(() => asked.at(-1)?.get('event'), { timeout: 10_000 }).toBe('stopped');
    tracker.close();
  });

  it('names missing content', async () => {
    const lost = await assign('lost', 2);
    await rm(join(folder, 'lost'));
    await node.syncAssignments();
    await onSale(lost, 'missing');
    expect(fleet.reports.findLast(({ infoHash }) => infoHash === lost.infoHash)?.detail).toContain('content-missing');
  });

  it('ends a sale whose torrent is taken down with its last payment, also when it missed the news', async () => {
    const told = await assign('taken down, told', 8);
    const untold = await assign('taken down, untold', 8);
    await node.syncAssignments();
    const sales: { torrent: Metainfo; buyer: TestBuyer; channelId: string }[] = [];
    for (const torrent of [told, untold]) {
      await onSale(torrent);
      const buyer = await TestBuyer.dial(port(), torrent, { payAtMost: 3 });
      await expect.poll(() => buyer.pieces.size).toBeGreaterThanOrEqual(4);
      sales.push({ torrent, buyer, channelId: fleet.funded.at(-1)?.channelId ?? '' });
    }
    const goesOn = await TestBuyer.dial(port(), film, { payAtMost: 3 });
    await expect.poll(() => goesOn.pieces.size).toBeGreaterThanOrEqual(4);
    fleet.assignments.splice(-2);
    fleet.bus.publish(torrentsTakenDown, [], { infoHashes: [told.infoHash] });
    await expect.poll(() => sales[0]?.buyer.closed, { timeout: 10_000 }).toBe('remote');
    // Nobody told it of the other: it finds out when it asks again.
    await expect.poll(() => sales[1]?.buyer.closed, { timeout: 50_000 }).toBe('remote');
    for (const { torrent, channelId } of sales) {
      await expect.poll(() => fleet.ends).toContainEqual({ channelId, k: 3, reason: 'takedown' });
      expect(fleet.payments.findLast((payment) => payment.channelId === channelId)?.k).toBe(3);
      await expect(TestBuyer.dial(port(), torrent)).rejects.toThrow('remote');
    }
    expect(goesOn.closed).toBeUndefined();
    goesOn.peer.close();
  }, 90_000);

  it('ends running channels when it stops, with the last payment in the stream', async () => {
    const buyer = await TestBuyer.dial(port(), film, { payAtMost: 3 });
    await expect.poll(() => buyer.pieces.size).toBeGreaterThanOrEqual(4);
    await node.stop();
    expect(buyer.closed).toBe('remote');
    const { channelId } = fleet.funded.at(-1) ?? { channelId: '' };
    await expect.poll(() => fleet.ends).toContainEqual({ channelId, k: 3, reason: 'shutdown' });
    await bus.close();
    await startNode();
    // Told once more at the stop: what buyers of all these tests asked for.
    const seen = fleet.demand.filter(({ infoHash }) => infoHash === film.infoHash);
    const sum = (name: 'buyers' | 'joined' | 'won' | 'speedTestsAnswered' | 'sentBytes') =>
      seen.reduce((total, demand) => total + demand[name], 0);
    const funded = new Set(fleet.funded.map(({ channelId: id }) => id).filter(soldFilm));
    expect(sum('won')).toBe(funded.size);
    expect(sum('joined')).toBeGreaterThanOrEqual(sum('won'));
    expect(sum('buyers')).toBeGreaterThanOrEqual(sum('joined'));
    expect(sum('speedTestsAnswered')).toBe(1);
    expect(sum('sentBytes')).toBeGreaterThanOrEqual(content.length);
    expect(seen.flatMap(({ bids }) => bids)).toContainEqual({ priceSat: 1_000_000n, count: expect.any(Number) });
  });
});

/** Accepts half of the first offer. */
const cheap = { maxContractFeePerKb: 1024n, maxLock: 20, maxPrice: 50n, minNumberOfSellers: 1 };

function soldFilm(channelId: string): boolean {
  return fleet.opened.some((opened) => opened.channelId === channelId && opened.infoHash === film.infoHash);
}
