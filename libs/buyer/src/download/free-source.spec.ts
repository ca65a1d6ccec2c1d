import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createMetainfo,
  createPeerId,
  metadataPart,
  parseMetainfo,
  PeerListener,
  PieceSet,
  readForeignExtensions,
  readMetadataRequest,
  type Metainfo,
  type Peer,
} from '@seedfleet/bittorrent';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resolveMagnet } from '../finding/metadata.js';
import { PieceSink } from './piece-sink.js';
import { Purchase } from './purchase.js';

const PIECE = 65_536;
const PIECES = 9;
let dir: string;
let content: Buffer;
let metainfo: Metainfo;
let listeners: PeerListener[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'free-'));
  content = randomBytes(PIECE * PIECES - 1_000);
  writeFileSync(join(dir, 'a.bin'), content);
  const parsed = parseMetainfo(await createMetainfo(join(dir, 'a.bin'), { name: 'a.bin', pieceLengthBytes: PIECE }));
  if (!parsed.ok) throw new Error(parsed.error.code);
  metainfo = parsed.value;
  listeners = [];
});
afterEach(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  rmSync(dir, { recursive: true });
});

/** An ordinary seeder, as every client is one; `lies` gives away noise. */
async function seeder(host: string, lies = false): Promise<{ host: string; port: number }> {
  const serve = (peer: Peer): void => {
    peer.on('interested', () => peer.unchoke());
    peer.on('extendedHandshake', (body) => {
      const theirId = readForeignExtensions(body).utMetadata;
      peer.sendExtendedHandshake(Buffer.from(`d1:md11:ut_metadatai3ee13:metadata_sizei${metainfo.infoBytes.length}ee`));
      peer.on('extended', (id, payload) => {
        const part = id === 3 ? readMetadataRequest(payload) : undefined;
        const answer = part === undefined ? undefined : metadataPart(metainfo.infoBytes, part);
        if (answer !== undefined) peer.sendExtended(theirId ?? 0, answer.head, answer.body);
      });
    });
    peer.on('blockRequest', (block) => {
      const from = block.piece * PIECE + block.offsetBytes;
      const data = lies ? randomBytes(block.lengthBytes) : content.subarray(from, from + block.lengthBytes);
      peer.sendBlock(block, data, () => undefined);
    });
    peer.start();
  };
  const have = PieceSet.full(PIECES);
  const listener = new PeerListener({
    host,
    port: 0,
    peerId: createPeerId(),
    torrentOf: () => ({ infoHash: metainfo.infoHash, pieceCount: PIECES, have, extended: { limitBytes: () => 4_096 } }),
    onPeer: serve,
  });
  listeners.push(listener);
  const bound = await listener.listen();
  if (!bound.ok) throw new Error(bound.error.code);
  return { host, port: bound.value.port };
}

it('gets everything for nothing from those who give it, and nothing from one who lies', async () => {
  const peers = [await seeder('127.0.0.1', true), await seeder('127.0.0.2')];
  const out = join(dir, 'out');
  const sink = await PieceSink.open(metainfo, out);
  const purchase = new Purchase({
    metainfo,
    session: {
      network: 'regtest',
      torrent: { pieces: PIECES, pieceLengthBytes: PIECE, totalBytes: metainfo.totalLengthBytes },
      ecdsa: bestEcdsa(),
      terms: { maxPrice: 1n, maxLock: 20, minNumberOfSellers: 1, maxContractFeePerKb: 1_024n },
      sellers: 1,
      speedTestBytes: undefined,
      maxOpenRequests: 4,
    },
    sellers: 1,
    peers,
    sink,
    contracts: {
      prepare: () => Promise.reject(new Error('nothing is to be bought')),
      store: () => Promise.resolve(),
      broadcast: () => Promise.resolve(),
      abandon: () => undefined,
      paid: () => undefined,
      awaitsConfirmation: () => Promise.resolve(false),
      fundingTxid: undefined,
    },
    reporter: { report: () => undefined },
    userAgent: 'test',
    takeFree: true,
    allowLocal: true,
    encryption: 'off',
    searchMs: 30_000,
    silenceMs: 30_000,
    signal: new AbortController().signal,
  });
  const result = await purchase.run();
  await sink.close();
  expect(result).toMatchObject({ free: PIECES, bought: 0, payments: 0, paidSat: 0n });
  expect(readFileSync(join(out, 'a.bin')).equals(content)).toBe(true);
}, 30_000);

it('gets the torrent of a magnet link from a peer, and believes no other', async () => {
  const reporter = { report: () => undefined };
  const magnet = {
    infoHash: metainfo.infoHash,
    name: undefined,
    peers: [await seeder('127.0.0.1')],
    trackers: ['udp://t:1'],
  };
  const { signal } = new AbortController();
  const found = await resolveMagnet(magnet, [], undefined, reporter, signal);
  expect(found.metainfo).toMatchObject({ infoHash: metainfo.infoHash, pieceCount: PIECES, announce: ['udp://t:1'] });
  const other = { ...magnet, infoHash: createHash('sha1').update('other').digest('hex') };
  const gone = AbortSignal.timeout(2_000);
  await expect(resolveMagnet(other, [], undefined, reporter, gone)).rejects.toMatchObject({ code: 'interrupted' });
}, 30_000);
