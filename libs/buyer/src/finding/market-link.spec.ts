import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetainfo, parseMetainfo } from '@seedfleet/bittorrent';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { followLink } from './market-link.js';

let server: Server;
let origin: string;
let torrent: Uint8Array;
let infoHash: string;
let listing: Record<string, unknown>;

beforeEach(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'link-'));
  writeFileSync(join(dir, 'a.bin'), Buffer.alloc(50_000, 7));
  torrent = await createMetainfo(join(dir, 'a.bin'), { name: 'a.bin', pieceLengthBytes: 16_384 });
  rmSync(dir, { recursive: true });
  const parsed = parseMetainfo(torrent);
  infoHash = parsed.ok ? parsed.value.infoHash : '';
  const path = `/v1/market/torrents/${infoHash}`;
  listing = { infoHash, peers: ['10.0.0.1:7881', 'nonsense'], torrentFile: `${path}/file.torrent`, more: 1 };
  server = createServer((request, response) => {
    if (request.url === path) return response.end(JSON.stringify(listing));
    if (request.url === `${path}/file.torrent`) return response.end(torrent);
    response.statusCode = 404;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => void server.close());

it.each(['/v1/market/torrents/HASH', '/market/HASH', '/market#/torrents/HASH'])(
  'finds torrent and sellers by %s',
  async (form) => {
    const found = await followLink(origin + form.replace('HASH', infoHash));
    expect(found.metainfo.infoHash).toBe(infoHash);
    expect(found.peers).toEqual([{ host: '10.0.0.1', port: 7881 }]);
  },
);

it('takes a plain .torrent file', async () => {
  const found = await followLink(`${origin}/v1/market/torrents/${infoHash}/file.torrent`);
  expect(found).toMatchObject({ metainfo: { infoHash }, peers: [] });
});

it('refuses another torrent, another host, and what is not there', async () => {
  await expect(followLink(`${origin}/market/${'0'.repeat(40)}`)).rejects.toMatchObject({ code: 'link-unusable' });
  listing['torrentFile'] = 'http://127.0.0.2/file.torrent';
  await expect(followLink(`${origin}/market/${infoHash}`)).rejects.toMatchObject({ code: 'link-unusable' });
  await expect(followLink('http://127.0.0.1:1/a.torrent')).rejects.toMatchObject({ code: 'link-unreachable' });
});
