import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import Wire from 'bittorrent-protocol';
import bencode from 'bencode';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PieceSet } from '../piece-set.js';
import { dialPeer } from './dial.js';
import { PeerListener, type PeerListenerOptions } from './listener.js';
import { createPeerId } from './peer-id.js';
import type { Peer, TorrentSide } from './peer.js';

const HASH = 'aa'.repeat(20);
const PIECES = 20;
const seller: TorrentSide = {
  infoHash: HASH,
  pieceCount: PIECES,
  have: PieceSet.full(PIECES),
  extended: { limitBytes: (id) => (id >= 60 && id <= 70 ? 256 : undefined) },
};
const buyer: TorrentSide = {
  infoHash: HASH,
  pieceCount: PIECES,
  have: new PieceSet(PIECES),
  extended: { limitBytes: (id) => (id === 67 ? 32 * 1024 * 1024 : 256) },
};

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

interface Side {
  readonly port: number;
  readonly peers: Peer[];
  readonly refusals: string[];
  readonly next: () => Promise<Peer>;
}

async function listen(options: Partial<PeerListenerOptions> = {}): Promise<Side> {
  const peers: Peer[] = [];
  const refusals: string[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  const listener = new PeerListener({
    host: '127.0.0.1',
    port: 0,
    peerId: createPeerId(),
    torrentOf: (infoHash) => (infoHash === HASH ? seller : undefined),
    onPeer: (peer) => {
      peers.push(peer);
      waiting.shift()?.(peer);
      peer.start();
    },
    onRefused: (reason) => refusals.push(reason),
    ...options,
  });
  const bound = await listener.listen();
  if (!bound.ok) throw new Error(bound.error.code);
  cleanups.push(() => {
    listener.close();
    peers.forEach((peer) => peer.close());
  });
  return { port: bound.value.port, peers, refusals, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

async function pair(side: Side): Promise<{ readonly here: Peer; readonly there: Peer }> {
  const accepted = side.next();
  const dialled = await dialPeer({ host: '127.0.0.1', port: side.port, torrent: buyer, peerId: createPeerId() });
  if (!dialled.ok) throw new Error(dialled.error);
  cleanups.push(() => dialled.value.close());
  return { here: await accepted, there: dialled.value };
}

function rawClient(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  cleanups.push(() => socket.destroy());
  return socket;
}

function handshakeBytes(infoHash = HASH): Buffer {
  return Buffer.concat([
    Buffer.from('\u0013BitTorrent protocol', 'latin1'),
    Buffer.from('0000000000100004', 'hex'),
    Buffer.from(infoHash, 'hex'),
    Buffer.from('-XX0000-abcdefghijkl'),
  ]);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('Peer', () => {
  it('announces everything and exchanges extended messages in both directions', async () => {
    const side = await listen();
    const { here, there } = await pair(side);
    const events: string[] = [];
    there.on('extendedHandshake', (body) => events.push(`handshake ${Buffer.from(body).toString()}`));
    there.on('extended', (id, payload) => events.push(`${id} ${Buffer.from(payload).toString()}`));
    there.start();
    await until(() => there.remoteHas(0));
    expect([there.remoteHas(0), there.remoteHas(PIECES - 1), here.remoteHas(0)]).toEqual([true, true, false]);
    here.sendExtendedHandshake(Buffer.from('d1:md1:ai1eee'));
    here.sendExtended(62, Buffer.from('head'), Buffer.from('body'));
    await until(() => events.length === 2);
    expect(events).toEqual(['handshake d1:md1:ai1eee', '62 headbody']);
    there.sendExtended(61, Buffer.from('terms'));
    const [id, payload] = (await once(here, 'extended')) as [number, Uint8Array];
    expect([id, Buffer.from(payload).toString()]).toEqual([61, 'terms']);
    expect(here.remoteAddress).toBe('127.0.0.1');
    const closed = once(here, 'closed');
    there.close();
    expect(await closed).toEqual(['remote']);
  });

  it('moves large bodies unharmed, tells when they left, and lets urgent frames overtake', async () => {
    const side = await listen();
    const { here, there } = await pair(side);
    const bodies = Array.from({ length: 4 }, (_, at) => Buffer.alloc(8 * 1024 * 1024, at + 1));
    const order: number[] = [];
    let good = true;
    there.on('extended', (id, payload) => {
      order.push(id === 67 ? (payload[0] ?? 0) : id);
      if (id === 67) good &&= payload.every((byte) => byte === payload[0]);
    });
    const flushed: boolean[] = [];
    for (const body of bodies) {
      here.sendExtended(67, new Uint8Array(), body, { lane: 'bulk', onFlushed: (sent) => flushed.push(sent) });
    }
    here.sendExtended(70, Buffer.from('fast'), undefined, { lane: 'urgent' });
    expect(here.queuedBytes).toBeGreaterThan(32 * 1024 * 1024);
    there.start();
    await until(() => order.length === 5);
    expect(order).toEqual([1, 70, 2, 3, 4]);
    expect(good).toBe(true);
    await until(() => flushed.length === 4);
    expect([flushed, here.queuedBytes]).toEqual([[true, true, true, true], 0]);
  });

  it('tells the owner of what never left', async () => {
    const side = await listen();
    const { here, there } = await pair(side);
    const flushed: boolean[] = [];
    const body = Buffer.alloc(16 * 1024 * 1024);
    for (let count = 0; count < 3; count++) {
      here.sendExtended(67, new Uint8Array(), body, { lane: 'bulk', onFlushed: (sent) => flushed.push(sent) });
    }
    here.close();
    expect(flushed).toEqual([false, false, false]);
    expect(here.sendExtended(60, new Uint8Array())).toBe('closed');
    there.close();
  });

  it('delivers what is queued before an orderly end', async () => {
    const side = await listen();
    const { here, there } = await pair(side);
    let received = 0;
    there.on('extended', (_id, payload) => (received += payload.length));
    there.start();
    here.sendExtended(67, new Uint8Array(), Buffer.alloc(4 * 1024 * 1024), { lane: 'bulk' });
    await Promise.all([here.finish(), once(there, 'closed')]);
    expect([received, here.closedReason]).toEqual([4 * 1024 * 1024, 'local']);
  });

  it('sends keep-alives less than two minutes apart, and gives up on a silent peer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    cleanups.push(() => vi.useRealTimers());
    const side = await listen();
    const accepted = side.next();
    const socket = rawClient(side.port);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
    socket.write(handshakeBytes());
    const here = await accepted;
    // Handshake and have-all; a peer that is paused, or waits for a piece, is kept alive all the same.
    await until(() => received.length === 68 + 5);
    here.pause();
    vi.advanceTimersByTime(110_000);
    await until(() => received.length > 68 + 5);
    expect(received.subarray(68 + 5).every((byte) => byte === 0)).toBe(true);
    const closed = once(here, 'closed');
    vi.advanceTimersByTime(110_000);
    expect(await closed).toEqual(['silent']);
  });

  it('closes on a peer that never reads', async () => {
    const side = await listen();
    const { here } = await pair(side);
    const closed = once(here, 'closed');
    const body = Buffer.alloc(1024 * 1024);
    while (here.sendExtended(60, new Uint8Array(100_000)) === 'queued') {
      here.sendExtended(67, new Uint8Array(), body, { lane: 'bulk' });
    }
    expect(await closed).toEqual(['send-queue-full']);
  });
});

describe('PeerListener', () => {
  it('refuses strangers with a reason', async () => {
    const side = await listen({ handshakeTimeoutMs: 50 });
    rawClient(side.port).write('GET / HTTP/1.1\r\n');
    await until(() => side.refusals.length === 1);
    rawClient(side.port).write(handshakeBytes('bb'.repeat(20)));
    await until(() => side.refusals.length === 2);
    rawClient(side.port).write(handshakeBytes().subarray(0, 67));
    await until(() => side.refusals.length === 3);
    rawClient(side.port).end();
    await until(() => side.refusals.length === 4);
    expect(side.refusals).toEqual(['not-bittorrent', 'unknown-torrent', 'handshake-timeout', 'remote']);
  });

  it('bounds handshakes and asks before reading', async () => {
    const side = await listen({ maxHandshakes: 1 });
    rawClient(side.port);
    const second = rawClient(side.port);
    await once(second, 'close');
    expect(side.refusals).toEqual(['too-many-handshakes']);
    const closed = await listen({ admit: () => false });
    await once(rawClient(closed.port), 'close');
    expect(closed.refusals).toEqual(['not-admitted']);
  });

  it('refuses itself and a busy port', async () => {
    const peerId = createPeerId();
    const side = await listen({ peerId });
    const dialled = await dialPeer({ host: '127.0.0.1', port: side.port, torrent: buyer, peerId });
    expect(dialled.ok).toBe(false);
    expect(side.refusals).toEqual(['self-connection']);
    const second = new PeerListener({
      host: '127.0.0.1',
      port: side.port,
      peerId,
      torrentOf: () => undefined,
      onPeer: () => undefined,
    });
    expect(await second.listen()).toMatchObject({ ok: false, error: { code: 'address-in-use' } });
  });

  it.each([
    ['oversized message', '000001031446', 'extended-too-large'],
    ['unknown id', '000000031409ff', 'extended-id-unknown'],
    ['piece beyond the last', '000000050400000014', 'frame-malformed'],
    ['block', '00004009070000', 'protocol-violation'],
  ])('closes on an %s', async (_what, hex, reason) => {
    const side = await listen();
    const accepted = side.next();
    rawClient(side.port).write(Buffer.concat([handshakeBytes(), Buffer.from(hex, 'hex')]));
    const peer = await accepted;
    if (peer.closedReason === undefined) await once(peer, 'closed');
    expect(peer.closedReason).toBe(reason);
  });
});

describe('dialPeer', () => {
  it('says why it failed', async () => {
    const dial = async (port: number): Promise<string> => {
      const outcome = await dialPeer({
        host: '127.0.0.1',
        port,
        torrent: { ...buyer, infoHash: 'cc'.repeat(20) },
        peerId: createPeerId(),
        handshakeTimeoutMs: 50,
      });
      return outcome.ok ? 'ok' : outcome.error;
    };
    const mute = createServer((socket) => cleanups.push(() => socket.destroy())).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    cleanups.push(() => mute.close());
    const { port } = mute.address() as AddressInfo;
    expect(await dial(port)).toBe('handshake-timeout');
    const side = await listen();
    expect(await dial(side.port)).toBe('remote');
    expect(await dial(1)).toBe('connection-refused');
  });
});

describe('beside bittorrent-protocol', () => {
  it('serves its handshakes, rejects its requests and trades extended messages', async () => {
    const side = await listen();
    const accepted = side.next();
    const wire = new Wire('tcpOutgoing');
    const socket = rawClient(side.port);
    socket.pipe(wire as unknown as NodeJS.WritableStream);
    (wire as unknown as NodeJS.ReadableStream).pipe(socket);
    const events: string[] = [];
    wire.on('have-all', () => events.push('have-all'));
    wire.on('reject', (piece: number) => events.push(`reject ${piece}`));
    wire.on('unchoke', () => events.push('unchoke'));
    wire.on('extended', (name: string, body: Uint8Array) => events.push(`extended ${name} ${JSON.stringify(body)}`));
    wire.handshake(HASH, createPeerId(), { fast: true });
    const peer = await accepted;
    const theirs = once(peer, 'extendedHandshake') as Promise<[Uint8Array]>;
    expect(bencode.decode(Buffer.from((await theirs)[0]))).toHaveProperty('m');
    peer.sendExtendedHandshake(bencode.encode({ m: { js_buy: 61 } }));
    wire.interested();
    // A request although choked, as free-riders send it.
    socket.write(Buffer.from('0000000d06000000030000000000004000', 'hex'));
    await until(() => events.length === 3);
    expect(events).toEqual(['have-all', 'extended handshake {"m":{"js_buy":61}}', 'reject 3']);
    wire.destroy();
    await once(peer, 'closed');
  });
});
