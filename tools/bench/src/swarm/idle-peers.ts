/** Many peers in a process of their own: some that stay and do nothing, or some that come and go. */
import { connect, type Socket } from 'node:net';
import { encodeExtendedHandshake, encodeFrame, MESSAGE_ID } from '@seedfleet/wire';

export type PeersOrder =
  /** `session`: speaks JoyStream and is a buyer that never buys; `plain`: an ordinary client. */
  | {
      readonly type: 'stay';
      readonly port: number;
      readonly infoHash: string;
      readonly kind: 'session' | 'plain';
      readonly count: number;
    }
  | {
      readonly type: 'come-and-go';
      readonly port: number;
      readonly infoHash: string;
      readonly count: number;
      readonly parallel: number;
    }
  | { readonly type: 'leave' };

export type PeersReport =
  | { readonly type: 'staying' }
  | { readonly type: 'gone'; readonly seconds: number; readonly answered: number }
  | { readonly type: 'left' }
  | { readonly type: 'failed'; readonly why: string };

const HANDSHAKE_BYTES = 68;
/** Connections opened at a time. */
const OPENING = 64;
const TERMS = { maxContractFeePerKb: 1_024n, maxLock: 20, maxPrice: 1_000_000n, minNumberOfSellers: 1 };

let staying: Socket[] = [];

function report(what: PeersReport): void {
  process.send?.(what);
}

function handshake(infoHash: string): Buffer {
  const bytes = Buffer.alloc(HANDSHAKE_BYTES);
  bytes.write('\x13BitTorrent protocol', 'latin1');
  bytes[25] = 0x10;
  bytes[27] = 0x04;
  bytes.write(infoHash, 28, 'hex');
  bytes.write('-XX0001-', 48, 'latin1');
  for (let at = 56; at < HANDSHAKE_BYTES; at++) bytes[at] = Math.floor(Math.random() * 256);
  return bytes;
}

function extended(payload: Uint8Array): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(2 + payload.length);
  head[4] = 20;
  return Buffer.concat([head, payload]);
}

/** Connects, and answers once the peer's handshake, and in a session its terms, have come. */
function stay(port: number, infoHash: string, kind: 'session' | 'plain'): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    staying.push(socket);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the node closed an idle connection')));
    socket.write(handshake(infoHash));
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      const before = received;
      received += chunk.length;
      if (before < HANDSHAKE_BYTES && received >= HANDSHAKE_BYTES) {
        if (kind === 'plain') return resolve();
        const { header } = encodeFrame({ type: 'buy', terms: TERMS }, MESSAGE_ID);
        socket.write(Buffer.concat([extended(encodeExtendedHandshake({ kind: 'install' })), header]));
      }
      // The node's extended handshake is followed by `sell`, after ours has come.
      if (received > HANDSHAKE_BYTES + 300) resolve();
    });
  });
}

async function stayAll({ port, infoHash, kind, count }: Extract<PeersOrder, { type: 'stay' }>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next++ < count) await stay(port, infoHash, kind);
  };
  await Promise.all(Array.from({ length: OPENING }, worker));
  report({ type: 'staying' });
}

/** One connection from its beginning to the node's handshake; false when it was refused. */
function visit(port: number, infoHash: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let received = 0;
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received >= HANDSHAKE_BYTES));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received >= HANDSHAKE_BYTES) socket.resetAndDestroy();
    });
    socket.write(handshake(infoHash));
  });
}

async function comeAndGo(order: Extract<PeersOrder, { type: 'come-and-go' }>): Promise<void> {
  const { port, infoHash, count, parallel } = order;
  const startedMs = performance.now();
  let next = 0;
  let answered = 0;
  const worker = async (): Promise<void> => {
    while (next++ < count) if (await visit(port, infoHash)) answered += 1;
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  report({ type: 'gone', seconds: (performance.now() - startedMs) / 1000, answered });
}

function leave(): void {
  for (const socket of staying) socket.removeAllListeners('close').destroy();
  staying = [];
  report({ type: 'left' });
}

process.on('message', (order: PeersOrder) => {
  const failed = (why: unknown): void => report({ type: 'failed', why: String(why) });
  if (order.type === 'stay') void stayAll(order).catch(failed);
  else if (order.type === 'come-and-go') void comeAndGo(order).catch(failed);
  else leave();
});
process.on('disconnect', () => process.exit());
