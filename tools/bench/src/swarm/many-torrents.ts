import { createHash, randomFillSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningFleet } from '@seedfleet/fleet';
import { figures } from './node-figures.js';

const PIECE_BYTES = 16_384;
const PARALLEL = 8;
const ON_SALE_MS = 600_000;
const POLL_MS = 500;
const PRICE_SAT = 1_000;

/**
 * Puts many torrents on sale and waits until the node has verified them. They are the same content under different
 * names, so that the disk need not hold thousands of films; to the node each is one of its own.
 */
export async function putManyOnSale(fleet: RunningFleet, folder: string, count: number, pieces: number): Promise<void> {
  const contentPath = join(folder, 'shared.bin');
  const content = randomFillSync(Buffer.alloc(pieces * PIECE_BYTES));
  writeFileSync(contentPath, content);
  const hashes = Buffer.concat(
    Array.from({ length: pieces }, (_, piece) =>
      createHash('sha1')
        .update(content.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES))
        .digest(),
    ),
  );
  const { url, keyFile } = fleet.run.marketApi;
  const authorization = `Bearer ${readFileSync(keyFile, 'utf8').trim()}`;
  const call = async (method: string, path: string, body: object): Promise<{ infoHash: string }> => {
    for (;;) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (response.status === 429) await sleep(POLL_MS);
      else if (response.ok) return (await response.json()) as { infoHash: string };
      else throw new Error(`the market API refused ${method} ${path}: ${await response.text()}`);
    }
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const metainfo = torrentOf(`volume-${next++}`, content.length, hashes).toString('base64');
      const { infoHash } = await call('POST', '/v1/torrents', { metainfo, contentPath });
      await call('PUT', `/v1/torrents/${infoHash}/offer`, { priceSat: String(PRICE_SAT) });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  await untilOnSale(fleet, count);
}

/** Waits until the node has at least so many torrents on sale. */
export async function untilOnSale(fleet: RunningFleet, count: number): Promise<void> {
  const deadline = performance.now() + ON_SALE_MS;
  for (;;) {
    const now = await figures(fleet, 'node-1').catch(() => undefined);
    if ((now?.sample('seedfleet_node_torrents{state="on-sale"}') ?? 0) >= count) return;
    if (performance.now() > deadline) throw new Error('the torrents are not on sale after ten minutes');
    await sleep(POLL_MS);
  }
}

function torrentOf(name: string, bytes: number, hashes: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(
      `d4:infod6:lengthi${bytes}e4:name${name.length}:${name}12:piece lengthi${PIECE_BYTES}e6:pieces${hashes.length}:`,
    ),
    hashes,
    Buffer.from('ee'),
  ]);
}
