import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'bittorrent-tracker';
import { afterEach, describe, expect, it } from 'vitest';
import { createPeerId } from '../peer/peer-id.js';
import { addressKey } from './addresses.js';
import { Discovery, secondaryHash, type DiscoveryOptions, type PeerSource, type SoughtTorrent } from './discovery.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const HOSTS = { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' };
const HASH = '08ada5a7a6183aae1e09d831df6748d566095a10';

interface Party {
  readonly discovery: Discovery;
  /** `source address` of everything reported. */
  readonly found: Set<string>;
  readonly errors: string[];
}

async function open(options: Partial<DiscoveryOptions> = {}): Promise<Party> {
  const found = new Set<string>();
  const errors: string[] = [];
  const opened = await Discovery.open({
    peerId: createPeerId(),
    host: '127.0.0.1',
    dht: null,
    trackers: 'local',
    allowLocal: true,
    lookupEveryMs: 200,
    announceEveryMs: 400,
    onPeers: (infoHash, peers, source: PeerSource) => {
      for (const peer of peers) found.add(`${infoHash.slice(0, 4)} ${source} ${addressKey(peer)}`);
    },
    onTrackerError: (_infoHash, _tracker, code) => errors.push(code),
    ...options,
  });
  if (!opened.ok) throw new Error(opened.error.code);
  cleanups.push(() => opened.value.stop());
  return { discovery: opened.value, found, errors };
}

function torrent(port: number | null, rest: Partial<SoughtTorrent> = {}): SoughtTorrent {
  return { infoHash: HASH, announce: [], isPrivate: false, port, leftBytes: port === null ? 1 : 0, ...rest };
}

async function tracker(): Promise<{ readonly server: Server; readonly http: string; readonly udp: string }> {
  const server = new Server({ ws: false, stats: false, interval: 60_000 });
  server.on('warning', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, HOSTS, resolve));
  cleanups.push(() => new Promise<void>((resolve) => server.close(resolve)));
  return {
    server,
    http: `http://127.0.0.1:${server.http?.address().port}/announce`,
    udp: `udp://127.0.0.1:${server.udp4?.address().port}`,
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('trackers', () => {
  it.each(['http', 'udp'] as const)('makes two peers known to each other over %s, and takes leave', async (kind) => {
    const { server, [kind]: url } = await tracker();
    const seller = await open();
    seller.discovery.add(
      torrent(7881, { announce: [url, 'wss://unused.example', 'nonsense', 'http://93.184.215.14/never'] }),
    );
    await until(() => server.torrents[HASH]?.complete === 1);
    const buyer = await open();
    buyer.discovery.add(torrent(null, { announce: [url] }));
    await until(() => buyer.found.size > 0);
    expect([...buyer.found]).toEqual(['08ad tracker 127.0.0.1:7881']);
    expect(seller.found.size).toBe(0);
    await seller.discovery.stop();
    await until(() => server.torrents[HASH]?.complete === 0);
    expect([seller.errors, buyer.errors]).toEqual([[], []]);
  });

  it('asks trackers over both families where it listens on both', async () => {
    const asked = new Set<string>();
    const server = createServer(({ socket }, response) => {
      asked.add(`http ${socket.remoteAddress === '::1' ? 6 : 4}`);
      response.end('d8:intervali1800e5:peers0:e');
    }).listen(0, '::');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const udp = await Promise.all(
      ([4, 6] as const).map(async (family) => {
        const socket = createSocket(`udp${family}`, () => asked.add(`udp ${family}`));
        socket.bind(0, family === 4 ? '127.0.0.1' : '::1');
        await once(socket, 'listening');
        cleanups.push(() => socket.close());
        return `udp://${family === 4 ? '127.0.0.1' : '[::1]'}:${socket.address().port}`;
      }),
    );
    const seller = await open({ host: '::' });
    seller.discovery.add(torrent(7881, { announce: [`http://127.0.0.1:${port}/a`, `http://[::1]:${port}/a`, ...udp] }));
    await until(() => asked.size === 4);
    await until(() => seller.discovery.stats().trackerAnnounces >= 2);
    expect([...asked].sort()).toEqual(['http 4', 'http 6', 'udp 4', 'udp 6']);
    expect(seller.errors).toEqual([]);
  });

  it('leaves private torrents alone unless told otherwise', async () => {
    const { server, http } = await tracker();
    const shy = await open();
    shy.discovery.add(torrent(7881, { announce: [http], isPrivate: true }));
    const member = await open({ privateTrackers: true });
    member.discovery.add(torrent(7882, { announce: [http], isPrivate: true }));
    await until(() => server.torrents[HASH] !== undefined);
    expect(shy.discovery.stats().trackerAnnounces).toBe(0);
  });

  it('survives trackers that lie, flood or say nothing sensible', async () => {
    const answers = [
      // Sends the usual bencode reader round for ever.
      'd-3:abce',
      'x'.repeat(2_000_000),
      'd14:failure reason2:noe',
      // One peer that is no address, one of port 0, one that is us.
      'd8:intervali1e5:peersld2:ip9:localhost4:porti5eed2:ip8:10.0.0.14:porti0eed2:ip9:127.0.0.14:porti7881eeee',
    ];
    const server = createServer((_request, response) => response.end(answers.shift())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const seller = await open();
    const announce = answers.map((_answer, at) => `http://127.0.0.1:${port}/${at}`);
    seller.discovery.add(torrent(7881, { announce }));
    await until(() => seller.discovery.stats().trackerAnnounces === 4);
    expect(seller.errors.sort()).toEqual(['tracker-answer-invalid', 'tracker-answer-too-large', 'tracker-refused']);
    expect(seller.found.size).toBe(0);
  });

  it('says that nobody answers', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanups.push(() => silent.close());
    const seller = await open();
    seller.discovery.add(torrent(1, { announce: [`udp://127.0.0.1:${silent.address().port}`, 'http://127.0.0.1:1/'] }));
    await until(() => seller.errors.length === 2);
    expect(seller.errors.sort()).toEqual(['tracker-timeout', 'tracker-unreachable']);
  });
});

describe('DHT', () => {
  async function network(size: number): Promise<Party[]> {
    const first = await open({ dht: { port: 0, bootstrap: [] } });
    const bootstrap = [`127.0.0.1:${first.discovery.dhtPort}`];
    const others = await Promise.all(Array.from({ length: size - 1 }, () => open({ dht: { port: 0, bootstrap } })));
    await until(() => others.every(({ discovery }) => discovery.stats().dhtNodes >= 1));
    return [first, ...others];
  }

  it('finds a seller under both hashes, and never a private torrent', async () => {
    expect(secondaryHash(HASH)).toBe('e687ddcca902ada030e44e2f6c7a1afd4470ea2a');
    const [, seller, buyer] = await network(6);
    if (seller === undefined || buyer === undefined) throw new Error('no parties');
    const hidden = 'ff'.repeat(20);
    seller.discovery.add(torrent(7881));
    seller.discovery.add(torrent(7882, { infoHash: hidden, isPrivate: true }));
    buyer.discovery.add(torrent(null));
    buyer.discovery.add(torrent(null, { infoHash: hidden }));
    await until(() => buyer.found.size === 2);
    await until(() => buyer.discovery.stats().dhtVisits > 8);
    expect([...buyer.found].sort()).toEqual(['08ad dht 127.0.0.1:7881', '08ad dht-secondary 127.0.0.1:7881']);
    // It hears of itself all the time.
    expect(seller.found.size).toBe(0);
  });

  it('answers who asks it directly, without any other node', async () => {
    const [seller, buyer] = await network(2);
    seller?.discovery.add(torrent(7881));
    buyer?.discovery.add(torrent(null));
    await until(() => buyer?.found.size === 2);
  });

  it('visits many torrents within its packet budget, and the last comes round too', async () => {
    const [, seller, buyer] = await network(4);
    const many = await open({
      dht: { port: 0, bootstrap: [`127.0.0.1:${seller?.discovery.dhtPort}`] },
      packetsPerSecond: 300,
    });
    const started = performance.now();
    const hashes = Array.from({ length: 100 }, (_, at) => at.toString(16).padStart(40, '0'));
    for (const infoHash of hashes) many.discovery.add(torrent(7990, { infoHash }));
    await until(() => many.discovery.stats().dhtVisits >= 200);
    const seconds = (performance.now() - started) / 1000;
    const { dhtPacketsSent } = many.discovery.stats();
    // The burst, the budget, and what visits that had begun still sent.
    expect(dhtPacketsSent).toBeLessThan(800 + 300 * (seconds + 1) + 800);
    buyer?.discovery.add(torrent(null, { infoHash: hashes.at(-1) ?? '' }));
    await until(() => [...(buyer?.found ?? [])].some((peer) => peer.endsWith(':7990')));
  });

  it('is not stopped by any packet', async () => {
    const [target, buyer] = await network(2);
    const port = target?.discovery.dhtPort ?? 0;
    const stranger = createSocket('udp4');
    cleanups.push(() => stranger.close());
    const id = 'x'.repeat(20);
    const packets = [
      'd-3:abce',
      'd1:ad2:id20:' + id + '9:info_hashi5ee1:q9:get_peers1:t2:aa1:y1:qe',
      'd1:ad2:id20:' + id + '6:target3:abce1:q9:find_node1:t2:aa1:y1:qe',
      'd1:ad2:id20:' + id + '9:info_hash20:' + id + '4:porti80e5:tokeni1ee1:q13:announce_peer1:t2:aa1:y1:qe',
      'd1:ad2:id20:' + id + '5:token1:x1:vi1ee1:q3:put1:t2:aa1:y1:qe',
      'd1:rd2:id20:' + id + '6:valuesl1:xee1:t2:aa1:y1:re',
      'd1:ei1e1:t2:aa1:y1:ee',
      'd1:t0:1:y1:qe',
      'le',
      '',
    ];
    const before = target?.discovery.stats().dhtPacketsDropped ?? 0;
    for (const packet of packets) stranger.send(packet, port, '127.0.0.1');
    await until(() => (target?.discovery.stats().dhtPacketsDropped ?? 0) >= before + packets.length);
    target?.discovery.add(torrent(7881));
    buyer?.discovery.add(torrent(null));
    await until(() => buyer?.found.size === 2);
  });

  it('says that its port is taken', async () => {
    const { discovery } = await open({ dht: { port: 0, bootstrap: [] } });
    const second = await Discovery.open({
      peerId: createPeerId(),
      host: '127.0.0.1',
      dht: { port: discovery.dhtPort ?? 0, bootstrap: [] },
      trackers: 'off',
      onPeers: () => undefined,
    });
    expect(second).toMatchObject({ ok: false, error: { code: 'port-in-use' } });
  });
});
