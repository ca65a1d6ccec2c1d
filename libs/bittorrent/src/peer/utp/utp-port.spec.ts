import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { Discovery } from '../../discovery/discovery.js';
import { PieceSet } from '../../piece-set.js';
import { dialPeer } from '../dial.js';
import { obfuscatedHash } from '../encryption/key-exchange.js';
import { PeerListener } from '../listener.js';
import { createPeerId } from '../peer-id.js';
import type { Peer, TorrentSide } from '../peer.js';
import { UtpPort } from './utp-port.js';

const HASH = 'aa'.repeat(20);
const torrent: TorrentSide = {
  infoHash: HASH,
  pieceCount: 20,
  have: PieceSet.full(20),
  extended: { limitBytes: () => 8 * 1024 * 1024 },
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function openUtp(onConnection: Parameters<typeof UtpPort.open>[2] = () => undefined): Promise<UtpPort> {
  const opened = await UtpPort.open('127.0.0.1', 0, onConnection);
  if (!opened.ok) throw new Error(opened.error);
  cleanups.push(() => opened.value.close());
  return opened.value;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A listener that is reached by uTP alone. */
async function seller(): Promise<{ readonly utp: UtpPort; readonly peers: Peer[]; readonly refusals: string[] }> {
  const peers: Peer[] = [];
  const refusals: string[] = [];
  const listener = new PeerListener({
    host: '127.0.0.1',
    port: 0,
    peerId: createPeerId(),
    torrentOf: (infoHash) => (infoHash === HASH ? torrent : undefined),
    infoHashOf: (obfuscated) => (obfuscated === obfuscatedHash(HASH) ? HASH : undefined),
    onPeer: (peer) => peers.push(peer),
    onRefused: (reason) => refusals.push(reason),
    handshakeTimeoutMs: 2_000,
  });
  cleanups.push(() => listener.close());
  const utp = await openUtp((stream: Parameters<PeerListener['accept']>[0]) => void listener.accept(stream));
  cleanups.push(() => peers.forEach((peer) => peer.close()));
  return { utp, peers, refusals };
}

describe('uTP', () => {
  it.each(['off', 'require'] as const)('carries a connection with encryption %s', async (encryption) => {
    const { utp, peers } = await seller();
    const dialled = await dialPeer({
      host: '127.0.0.1',
      port: utp.port,
      torrent,
      peerId: createPeerId(),
      encryption,
      utp: await openUtp(),
    });
    if (!dialled.ok) throw new Error(dialled.error);
    const there = dialled.value;
    await until(() => peers.length === 1);
    const [here] = peers;
    const body = randomBytes(2_000_000);
    const received: string[] = [];
    const flushed: boolean[] = [];
    there.on('extended', (id, payload) => received.push(`${id} ${body.equals(payload)}`));
    here?.on('extended', (id, payload) => received.push(`${id} ${Buffer.from(payload).toString()}`));
    there.start();
    here?.start();
    here?.sendExtended(67, new Uint8Array(), body, { lane: 'bulk', onFlushed: (sent) => flushed.push(sent) });
    there.sendExtended(66, Buffer.from('payment'));
    await until(() => received.length === 2 && flushed.length === 1);
    expect([received.sort(), flushed, here?.remoteAddress]).toEqual([['66 payment', '67 true'], [true], '127.0.0.1']);
    const closed = once(there, 'closed');
    here?.close();
    expect((await closed)[0]).toBe('remote');
  });

  it('shares its port with a DHT, and survives any datagram', async () => {
    const { utp, refusals } = await seller();
    const found: string[] = [];
    const open = async (datagrams?: UtpPort['datagrams'], bootstrap: string[] = []): Promise<Discovery> => {
      const opened = await Discovery.open({
        peerId: createPeerId(),
        host: '127.0.0.1',
        dht: { port: 0, bootstrap, ...(datagrams === undefined ? {} : { datagrams }) },
        trackers: 'off',
        allowLocal: true,
        lookupEveryMs: 200,
        onPeers: (_infoHash, peers) => found.push(...peers.map(({ port }) => String(port))),
      });
      if (!opened.ok) throw new Error(opened.error.code);
      cleanups.push(() => opened.value.stop());
      return opened.value;
    };
    const shared = await open(utp.datagrams);
    expect(shared.dhtPort).toBe(utp.port);
    const stranger = createSocket('udp4');
    cleanups.push(() => stranger.close());
    for (let count = 0; count < 2_000; count++) {
      const packet = randomBytes(20 + (count % 40));
      // Version 1, any type: libutp looks at the rest.
      packet[0] = ((count % 5) << 4) | 1;
      packet[1] = count % 3;
      stranger.send(packet, utp.port, '127.0.0.1');
    }
    const other = await open(undefined, [`127.0.0.1:${utp.port}`]);
    shared.add({ infoHash: HASH, announce: [], isPrivate: false, port: 7881, leftBytes: 0 });
    other.add({ infoHash: HASH, announce: [], isPrivate: false, port: null, leftBytes: 1 });
    await until(() => found.includes('7881'));
    // Forged beginnings of connections are nobody's fault, and end by themselves.
    await until(() => utp.connectionCount === 0);
    expect(refusals).toEqual([]);
  });

  it('says so when its port is taken, or nobody answers', async () => {
    const utp = await openUtp();
    expect(await UtpPort.open('127.0.0.1', utp.port, () => undefined)).toEqual({ ok: false, error: 'port-in-use' });
    const signal = AbortSignal.timeout(100);
    expect(await utp.connect('127.0.0.1', 1, signal)).toBeUndefined();
    expect(await utp.connect('::1', utp.port)).toBeUndefined();
  });
});
