import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import Wire from 'bittorrent-protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { PieceSet } from '../../piece-set.js';
import { dialPeer } from '../dial.js';
import { PeerListener, type PeerListenerOptions } from '../listener.js';
import { createPeerId } from '../peer-id.js';
import type { Peer, TorrentSide } from '../peer.js';
import { obfuscatedHash } from './key-exchange.js';
import { Rc4 } from './rc4.js';

const HASH = 'aa'.repeat(20);
const torrent: TorrentSide = {
  infoHash: HASH,
  pieceCount: 20,
  have: PieceSet.full(20),
  extended: { limitBytes: () => 8 * 1024 * 1024 },
};

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()));

interface Side {
  readonly port: number;
  readonly refusals: string[];
  readonly next: () => Promise<Peer>;
}

async function listen(options: Partial<PeerListenerOptions> = {}, encrypted = true): Promise<Side> {
  const refusals: string[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  const known = new Map([[obfuscatedHash(HASH), HASH]]);
  const listener = new PeerListener({
    host: '127.0.0.1',
    port: 0,
    peerId: createPeerId(),
    torrentOf: (infoHash) => (infoHash === HASH ? torrent : undefined),
    ...(encrypted ? { infoHashOf: (obfuscated: string) => known.get(obfuscated) } : {}),
    onPeer: (peer) => {
      cleanups.push(() => peer.close());
      waiting.shift()?.(peer);
    },
    onRefused: (reason) => refusals.push(reason),
    ...options,
  });
  const bound = await listener.listen();
  if (!bound.ok) throw new Error(bound.error.code);
  cleanups.push(() => listener.close());
  return { port: bound.value.port, refusals, next: () => new Promise((resolve) => waiting.push(resolve)) };
}

/** Passes bytes on in pieces of any size, so that nothing can rely on how a stream is cut. */
async function shredder(target: number): Promise<number> {
  const forward = (from: Socket, to: Socket): void => {
    from.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length;) {
        const size = chunk.length > 4096 ? 40_000 : randomInt(1, 40);
        to.write(chunk.subarray(at, at + size));
        at += size;
      }
    });
    from.on('close', () => to.destroy()).on('error', () => undefined);
  };
  const server = createServer({ noDelay: true }, (socket) => {
    const onward = connect({ port: target, host: '127.0.0.1', noDelay: true });
    forward(socket, onward);
    forward(onward, socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function dial(port: number, encryption: 'off' | 'prefer' | 'require'): Promise<Peer> {
  const dialled = await dialPeer({ host: '127.0.0.1', port, torrent, peerId: createPeerId(), encryption });
  if (!dialled.ok) throw new Error(dialled.error);
  cleanups.push(() => dialled.value.close());
  return dialled.value;
}

function rawClient(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  cleanups.push(() => socket.destroy());
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('Rc4', () => {
  it('yields the key stream of RFC 6229 after 1,024 bytes', () => {
    const stream = new Rc4(Buffer.from('0102030405', 'hex')).transformed(new Uint8Array(16));
    expect(Buffer.from(stream).toString('hex')).toBe('30abbcc7c20b01609f23ee2d5f6bb7df');
  });
});

describe('encrypted connections', () => {
  it.each([
    ['off', 'none'],
    ['prefer', 'handshake'],
    ['require', 'everything'],
  ] as const)('dialled with %s protect %s, however the stream is cut', async (encryption, protection) => {
    const side = await listen();
    const accepted = side.next();
    const there = await dial(await shredder(side.port), encryption);
    const here = await accepted;
    expect([there.protection, here.protection]).toEqual([protection, protection]);
    const body = randomBytes(3_000_000);
    const original = Buffer.from(body);
    const received: string[] = [];
    const flushed: boolean[] = [];
    there.on('extended', (id, payload) => received.push(`${id} ${original.equals(payload)}`));
    here.on('extended', (id, payload) => received.push(`${id} ${Buffer.from(payload).toString()}`));
    there.start();
    here.start();
    here.sendExtended(67, new Uint8Array(), body, { lane: 'bulk', onFlushed: (sent) => flushed.push(sent) });
    for (let id = 60; id < 64; id++) there.sendExtended(id, Buffer.from('payment'));
    await until(() => received.length === 5 && here.queuedBytes === 0);
    expect(received.sort()).toEqual(['60 payment', '61 payment', '62 payment', '63 payment', '67 true']);
    // Pieces are shared between connections: encryption must not touch them.
    expect([flushed, body.equals(original), there.remoteHas(19)]).toEqual([[true], true, true]);
    const closed = once(there, 'closed');
    await here.finish();
    expect(await closed).toEqual(['remote']);
  });

  it('fall back to plaintext only where that was asked for', async () => {
    const deaf = await listen({}, false);
    expect((await dial(deaf.port, 'prefer')).protection).toBe('none');
    await expect(dial(deaf.port, 'require')).rejects.toThrow('encryption-refused');
    expect(deaf.refusals).toEqual(['not-bittorrent', 'not-bittorrent']);
    const other = await listen({ infoHashOf: () => undefined });
    await expect(dial(other.port, 'require')).rejects.toThrow('encryption-refused');
    expect(other.refusals).toEqual(['unknown-torrent']);
  });

  it('refuses what is no handshake, within bounds', async () => {
    const side = await listen({ handshakeTimeoutMs: 300 });
    rawClient(side.port).write(Buffer.concat([randomBytes(95), randomBytes(700)]));
    await until(() => side.refusals.length === 1);
    rawClient(side.port).write(Buffer.alloc(96));
    await until(() => side.refusals.length === 2);
    rawClient(side.port).write(randomBytes(96));
    await until(() => side.refusals.length === 3);
    expect(side.refusals).toEqual(['not-bittorrent', 'not-bittorrent', 'handshake-timeout']);
  });
});

describe('beside the encryption of bittorrent-protocol', () => {
  function attachWire(wire: Wire, socket: Socket): string[] {
    const events: string[] = [];
    socket.pipe(wire as unknown as NodeJS.WritableStream);
    (wire as unknown as NodeJS.ReadableStream).pipe(socket);
    wire.on('handshake', (hash: string) => events.push(`handshake ${hash === HASH}`));
    wire.on('have-all', () => events.push('have-all'));
    cleanups.push(() => wire.destroy());
    return events;
  }

  it.each([
    [1, 'handshake'],
    [2, 'everything'],
  ] as const)('answers its handshake, mode %i', async (mode, protection) => {
    const side = await listen();
    const accepted = side.next();
    const wire = new Wire('tcpOutgoing', mode);
    const events = attachWire(wire, rawClient(side.port));
    wire.on('crypto-handshake', () => wire.handshake(HASH, createPeerId(), { fast: true }));
    wire.startEncryption(HASH);
    const here = await accepted;
    here.start();
    expect(here.protection).toBe(protection);
    await until(() => events.length === 2);
    expect(events).toEqual(['handshake true', 'have-all']);
  });

  it.each([
    ['prefer', 1, 'handshake'],
    ['prefer', 2, 'everything'],
    ['require', 2, 'everything'],
  ] as const)('is answered when it %ss and the other is in mode %i', async (encryption, mode, protection) => {
    const events: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      const wire = new Wire('tcpIncoming', mode);
      attachWire(wire, socket);
      wire.on('crypto-infohash', () => wire.setInfoHash(HASH));
      wire.on('handshake', () => wire.handshake(HASH, createPeerId(), { fast: true }));
      wire.on('have-all', () => events.push('have-all'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const there = await dial((server.address() as AddressInfo).port, encryption);
    there.start();
    expect(there.protection).toBe(protection);
    await until(() => events.length === 1);
  });
});
