import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningFleet } from '@seedfleet/fleet';
import type { BenchTorrent } from './content.js';

/** High enough that every torrent of the benchmark passes the gate at join, low enough for one confirmation. */
const WHOLE_TORRENT_SAT = 20_000;
const ON_SALE_MS = 120_000;
const POLL_MS = 100;

/** Puts the torrents on sale by the market API and waits until the node has verified them. */
export async function putOnSale({ run }: RunningFleet, torrents: readonly BenchTorrent[]): Promise<void> {
  const authorization = `Bearer ${readFileSync(run.marketApi.keyFile, 'utf8').trim()}`;
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${run.marketApi.url}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`the market API refused ${method} ${path}: ${await response.text()}`);
    return response.json();
  };
  for (const { torrentFile, contentPath, metainfo } of torrents) {
    await call('POST', '/v1/torrents', { metainfo: readFileSync(torrentFile).toString('base64'), contentPath });
    const priceSat = Math.ceil(WHOLE_TORRENT_SAT / metainfo.pieceCount);
    await call('PUT', `/v1/torrents/${metainfo.infoHash}/offer`, { priceSat: String(priceSat) });
  }
  for (const { metainfo } of torrents) {
    const deadline = performance.now() + ON_SALE_MS;
    for (;;) {
      const { sale } = (await call('GET', `/v1/torrents/${metainfo.infoHash}`)) as {
        sale: { state: string; detail: string };
      };
      if (sale.state === 'on-sale') break;
      if (performance.now() > deadline) throw new Error(`a torrent is not on sale but "${sale.state}": ${sale.detail}`);
      await sleep(POLL_MS);
    }
  }
}
