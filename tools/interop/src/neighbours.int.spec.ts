import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { torrentOf, type Torrent } from './bittorrent/torrent.js';
import { ReferenceDownload } from './buyer/download.js';
import { aria2 } from './neighbours/aria2.js';
import { libtorrent } from './neighbours/libtorrent.js';
import { LocalTracker } from './neighbours/local-tracker.js';
import type { RunningNeighbour } from './neighbours/neighbour.js';
import { qbittorrent } from './neighbours/qbittorrent.js';
import { transmission } from './neighbours/transmission.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const PIECE = 16_384;
const PIECES = 40;
/** What one peer may have for nothing in a day, of each of the two nodes. */
const CAP_BYTES = 10 * PIECE;
const NODES = 2;
/** Clients ask their trackers and dial in their own time. */
const MEET_MS = 90_000;
/** How long is watched that nothing more comes. */
const LOOK_MS = 2_000;

const NEIGHBOURS = [libtorrent, transmission, qbittorrent, aria2];
const installed = NEIGHBOURS.filter((neighbour) => neighbour.version() !== undefined);
for (const { name, debian } of NEIGHBOURS.filter((neighbour) => !installed.includes(neighbour))) {
  console.warn(`SKIPPED: ${name} as an ordinary neighbour: it is not installed (Debian's ${debian})`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What a node says that it gave away, bytes. */
async function givenBy(floor: Floor): Promise<number> {
  let sum = 0;
  for (const name of ['node-1', 'node-2']) {
    const text = await (await fetch(floor.metricsOf(name))).text();
    sum += Number(/^seedfleet_node_free_sent_bytes_total\S* (\d+)/m.exec(text)?.[1] ?? 0);
  }
  return sum;
}

describe.skipIf(installed.length === 0)('ordinary clients as neighbours', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seedfleet-neighbours-'));
  const content = noise(PIECES * PIECE, 9);
  const freeTier = { bytesPerDay: PIECES * PIECE, bytesPerPeerDay: CAP_BYTES };
  const leeches = new Map<string, { readonly leech: RunningNeighbour; readonly free: Torrent }>();
  let floor: Floor;
  let tracker: LocalTracker;
  let pids: number[];
  let sold: Torrent;
  let givenBefore: number;
  /** Who was seen with a connection for what is sold: all have one address, of which a node keeps one at a time. */
  const met = new Set<string>();

  beforeAll(async () => {
    floor = Floor.at(inject('fleetState'));
    tracker = await LocalTracker.start();
    pids = [floor.pidOf('node-1'), floor.pidOf('node-2')];
    givenBefore = await givenBy(floor);
    // Each run trades in torrents of its own: a fleet may have seen others.
    const run = Date.now().toString(36);
    const torrent = (name: string): Torrent => torrentOf(`${name}-${run}.bin`, content, PIECE, tracker.url);
    sold = torrent('sold');
    for (const neighbour of installed) {
      const own = join(folder, neighbour.debian);
      mkdirSync(own);
      // One for each, as they all come from one address.
      const free = torrent(neighbour.debian);
      const torrents = [sold, free].map(({ infoHashHex, file }) => ({ infoHash: infoHashHex, file }));
      const ports = { peerPort: await freePort(), controlPort: await freePort() };
      leeches.set(neighbour.name, { free, leech: await neighbour.start({ folder: own, ...ports, torrents }) });
    }
    // They are in the tracker's lists before the nodes ask it, which they do once a minute at most.
    const all = [...leeches.values()];
    const listed = (): boolean =>
      tracker.countOf(sold.infoHashHex) === all.length &&
      all.every(({ free }) => tracker.countOf(free.infoHashHex) > 0);
    await until('the neighbours at the tracker', listed, MEET_MS, 200);
    await floor.sell(sold.name, content, PIECE, { priceSat: '1000' }, tracker.url);
    for (const { free } of all)
      await floor.sell(free.name, content, PIECE, { priceSat: '1000', freeTier }, tracker.url);
  }, 240_000);

  afterAll(async () => {
    await Promise.all([...leeches.values()].map(({ leech }) => leech.stop()));
    tracker.stop();
    floor.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(installed)(
    '$name gets nothing of what is sold, and its share of what has a free tier',
    async ({ name }) => {
      const { leech, free } = leeches.get(name)!;
      let seen = { ofSold: -1, ofFree: -1, peers: -1 };
      const look = async (): Promise<boolean> => {
        const [ofSold, ofFree] = [await leech.status(sold.infoHashHex), await leech.status(free.infoHashHex)];
        seen = { ofSold: ofSold.downloadedBytes, ofFree: ofFree.downloadedBytes, peers: ofSold.peers };
        if (seen.peers > 0) met.add(name);
        return seen.ofFree >= CAP_BYTES;
      };
      await until(`${name} with its share`, look, MEET_MS, 200).catch((thrown: unknown) => {
        throw new Error(`${String(thrown)}; it is ${JSON.stringify(seen)}`, { cause: thrown });
      });
      await sleep(LOOK_MS);
      await look();
      expect([seen.ofSold, leech.isRunning]).toEqual([0, true]);
      expect(seen.ofFree).toBeGreaterThanOrEqual(CAP_BYTES);
      expect(seen.ofFree).toBeLessThanOrEqual(NODES * CAP_BYTES);
    },
    120_000,
  );

  it('leave the nodes as they were, with no more given than the caps: they sell to an honest buyer', async () => {
    expect(met.size).toBeGreaterThan(0);
    const given = (await givenBy(floor)) - givenBefore;
    expect(given).toBeGreaterThanOrEqual(installed.length * CAP_BYTES);
    expect(given).toBeLessThanOrEqual(installed.length * NODES * CAP_BYTES);
    const buyer = await floor.joined(sold);
    const contract = await floor.contract([buyer]);
    const download = new ReferenceDownload(sold);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('the download', () => download.isComplete);
    expect(download.content.equals(content)).toBe(true);
    expect([floor.pidOf('node-1'), floor.pidOf('node-2')]).toEqual(pids);
  });
});
