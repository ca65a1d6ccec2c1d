import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metainfo } from '@seedfleet/bittorrent';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RunningDownload } from '../download/download.js';
import { PieceWatch } from '../download/piece-watch.js';
import { StreamServer } from './server.js';

const PIECE = 65_536;
const PIECES = 2_000;
const LENGTH = PIECE * PIECES - 77;
let dir: string;
let content: Buffer;
let pieces: PieceWatch;
let preferred: (readonly number[])[];
let stream: StreamServer;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'stream-'));
  content = randomBytes(PIECE * 4);
  pieces = new PieceWatch(PIECES, []);
  preferred = [];
  const file = { path: ['film.mp4'], lengthBytes: LENGTH, offsetBytes: 0, padding: false };
  const metainfo = {
    infoHash: createHash('sha1').digest('hex'),
    name: 'film.mp4',
    pieceLengthBytes: PIECE,
    pieceCount: PIECES,
    multiFile: false,
    files: [file],
  } as unknown as Metainfo;
  const handle = await open(join(dir, 'film.mp4'), 'w');
  await handle.truncate(LENGTH);
  await handle.close();
  const download = { metainfo, pieces, prefer: (list: readonly number[]) => preferred.push(list) };
  const options = { listen: { host: '127.0.0.1', port: 0 }, outDir: dir, reporter: { report: () => undefined } };
  stream = await StreamServer.listen(download as unknown as RunningDownload, options);
});
afterEach(async () => {
  await stream.close();
  rmSync(dir, { recursive: true });
});

/** The piece is bought. */
async function arrives(piece: number): Promise<void> {
  const handle = await open(join(dir, 'film.mp4'), 'r+');
  await handle.write(content, (piece % 4) * PIECE, Math.min(PIECE, LENGTH - piece * PIECE), piece * PIECE);
  await handle.close();
  pieces.written(piece);
}

it('answers a seek before everything else, and waits for no other piece', async () => {
  const head = fetch(stream.url);
  await expect.poll(() => preferred.at(-1)?.[0]).toBe(0);
  const seek = 1_500 * PIECE + 10;
  const tail = fetch(stream.url, { headers: { range: `bytes=${seek}-${seek + 99}` } });
  await expect.poll(() => preferred.at(-1)?.[0]).toBe(1_500);
  // The first reader's pieces come after it, and so much ahead of it as a film needs for some seconds.
  expect(preferred.at(-1)?.[1]).toBe(0);
  expect(preferred.at(-1)).toHaveLength(1 + 512);
  await arrives(1_500);
  const answer = await tail;
  expect(answer.status).toBe(206);
  expect(answer.headers.get('content-range')).toBe(`bytes ${seek}-${seek + 99}/${LENGTH}`);
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(content.subarray(10, 110));
  await arrives(0);
  const first = await head;
  expect(first.status).toBe(200);
  expect(first.headers.get('content-type')).toBe('video/mp4');
  const reader = first.body!.getReader();
  expect(Buffer.from((await reader.read()).value!).subarray(0, 50)).toEqual(content.subarray(0, 50));
  await reader.cancel();
  // Nobody reads any more: nothing is preferred.
  await expect.poll(() => preferred.at(-1)).toEqual([]);
});

it('refuses what lies beyond the file, other files, and names that are not this machine', async () => {
  expect((await fetch(stream.url, { headers: { range: `bytes=${LENGTH}-` } })).status).toBe(416);
  expect((await fetch(`${stream.url}1`)).status).toBe(404);
  expect((await fetch(stream.url, { method: 'POST' })).status).toBe(405);
  expect((await fetch(`${stream.url}0/film.mp4`, { method: 'HEAD' })).headers.get('content-length')).toBe(`${LENGTH}`);
  const { port } = new URL(stream.url);
  const status = await new Promise((resolve) =>
    request({ host: '127.0.0.1', port, headers: { host: 'evil.example' } }, (answer) =>
      resolve(answer.statusCode),
    ).end(),
  );
  expect(status).toBe(403);
});
