/**
 * Reads what a sender sends, with no protocol and no payment: the least that any program pays for receiving, and with a
 * file for receiving, hashing and writing. A process of its own; argument: JSON of `Sink`. Reports by IPC.
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { connect } from 'node:net';

interface Sink {
  readonly addresses: readonly string[];
  readonly pieceBytes: number;
  readonly totalBytes: number;
  /** Where every piece is written once it is hashed; without it the bytes are dropped. */
  readonly file?: string;
}

const { addresses, pieceBytes, totalBytes, file } = JSON.parse(process.argv[2] ?? '{}') as Sink;
const handle = file === undefined ? undefined : await open(file, 'w');
const spare: Uint8Array<ArrayBuffer>[] = [];
let received = 0;
let placed = 0;

async function store(piece: Uint8Array<ArrayBuffer>, to: FileHandle): Promise<void> {
  createHash('sha1').update(piece).digest();
  const at = placed;
  placed += piece.length;
  await to.write(piece, 0, piece.length, at);
  spare.push(piece);
}

function read(address: string): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve, reject) => {
    let piece = new Uint8Array(pieceBytes);
    let filled = 0;
    let writing: Promise<void> = Promise.resolve();
    const callback = (count: number): boolean => {
      filled += count;
      received += count;
      if (filled === pieceBytes && handle !== undefined) {
        const stored = store(piece, handle);
        writing = Promise.all([writing, stored]).then(() => undefined);
        piece = spare.pop() ?? new Uint8Array(pieceBytes);
      }
      if (filled === pieceBytes) filled = 0;
      if (received >= totalBytes) writing.then(() => socket.destroy(), reject);
      return received < totalBytes;
    };
    const socket = connect({ host, port: Number(port), onread: { buffer: () => piece.subarray(filled), callback } });
    socket.once('error', reject).once('close', () => resolve());
  });
}

const startedMs = performance.now();
const before = process.cpuUsage();
await Promise.race(addresses.map(read));
const { user, system } = process.cpuUsage(before);
await handle?.close();
process.send?.({
  seconds: (performance.now() - startedMs) / 1_000,
  bytes: received,
  cpuSeconds: (user + system) / 1e6,
});
process.disconnect();
process.exit();
