import {
  addressKey,
  Allowance,
  createPeerId,
  dialPeer,
  encodePex,
  PeerListener,
  PieceSet,
  readPex,
  type Metainfo,
  type Peer,
  type PeerAddress,
  type TorrentSide,
} from '@seedfleet/bittorrent';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FOREIGN_ID } from './foreign-ids.js';
import { SmallTalk, type SmallTalkHost } from './small-talk.js';

const WAIT = { timeout: 20_000 };
const infoBytes = Buffer.alloc(20_000, 'x');
const metainfo = { infoHash: 'aa'.repeat(20), pieceCount: 4, isPrivate: false, infoBytes } as unknown as Metainfo;
const side: TorrentSide = {
  infoHash: metainfo.infoHash,
  pieceCount: 4,
  have: PieceSet.full(4),
  extended: { limitBytes: () => 20_000 },
};

let ours: Peer;
let theirs: Peer;
let listener: PeerListener;
/** `id body`, as the other side received them. */
let heard: { id: number; body: Uint8Array }[];
let found: PeerAddress[][];
let verdicts: string[];

beforeEach(async () => {
  heard = [];
  found = [];
  verdicts = [];
  let accepted: (peer: Peer) => void = () => undefined;
  const arrival = new Promise<Peer>((resolve) => (accepted = resolve));
  const torrentOf = (): TorrentSide => side;
  listener = new PeerListener({ host: '127.0.0.1', port: 0, peerId: createPeerId(), torrentOf, onPeer: accepted });
  const bound = await listener.listen();
  if (!bound.ok) throw new Error(bound.error.code);
  const dialled = await dialPeer({ host: '127.0.0.1', port: bound.value.port, torrent: side, peerId: createPeerId() });
  if (!dialled.ok) throw new Error(dialled.error);
  theirs = dialled.value;
  ours = await arrival;
  theirs.on('extended', (id, body) => heard.push({ id, body: Uint8Array.from(body) }));
});

afterEach(() => {
  vi.restoreAllMocks();
  ours.close();
  theirs.close();
  listener.close();
});

/** Begins; their client takes metadata as 9 and peer exchange as 8, and listens on 6881. */
function talk(host: Partial<SmallTalkHost> = {}): SmallTalk {
  const small = new SmallTalk(ours, {
    metainfo,
    metadataBytes: new Allowance(1, 1_000_000),
    metadataCopies: 2,
    allowLocal: true,
    onPeers: (_infoHash, peers) => found.push([...peers]),
    onMetadata: (verdict) => verdicts.push(verdict),
    ...host,
  });
  ours.start();
  theirs.start();
  theirs.sendExtendedHandshake(Buffer.from('d1:md11:ut_metadatai9e6:ut_pexi8ee1:pi6881ee'));
  return small;
}

function present(peers: readonly PeerAddress[]): Map<string, PeerAddress> {
  return new Map(peers.map((peer) => [addressKey(peer), peer]));
}

function ask(part: number): void {
  theirs.sendExtended(FOREIGN_ID.ut_metadata, Buffer.from(`d8:msg_typei0e5:piecei${part}ee`));
}

describe('SmallTalk', () => {
  it('gives the metadata twice to a connection, and no part that does not exist', async () => {
    talk();
    for (const part of [0, 1, 7, 0, 1, 0]) ask(part);
    await vi.waitFor(() => expect(verdicts).toHaveLength(6), WAIT);
    expect(verdicts).toEqual(['sent', 'sent', 'rejected', 'sent', 'sent', 'rejected']);
    await vi.waitFor(() => expect(heard).toHaveLength(6), WAIT);
    const bytes = heard.reduce((sum, { body }) => sum + body.length, 0);
    expect(heard.every(({ id }) => id === 9)).toBe(true);
    expect(bytes).toBeGreaterThan(2 * infoBytes.length);
    expect(bytes).toBeLessThan(2 * infoBytes.length + 6 * 64);
  });

  it('keeps to the budget of the node', async () => {
    talk({ metadataBytes: new Allowance(1, 17_000) });
    ask(0);
    ask(1);
    await vi.waitFor(() => expect(verdicts).toEqual(['sent', 'rejected']), WAIT);
  });

  it('says nothing of a private torrent', async () => {
    talk({ metainfo: { ...metainfo, isPrivate: true } });
    ask(0);
    theirs.sendExtended(FOREIGN_ID.ut_pex, encodePex([{ host: '192.0.2.1', port: 1000 }], []));
    ours.on('extended', (id) => verdicts.push(`received ${id}`));
    theirs.sendExtended(60, new Uint8Array());
    await vi.waitFor(() => expect(verdicts).toContain('received 60'), WAIT);
    expect([verdicts.includes('sent'), heard, found]).toEqual([false, [], []]);
  });

  it('tells who came and went, never the peer of itself, and at most fifty at once', async () => {
    const small = talk();
    await vi.waitFor(() => expect(small.address).toEqual({ host: '127.0.0.1', port: 6881 }), WAIT);
    const many = Array.from({ length: 60 }, (_, at) => ({ host: '8.8.8.8', port: 2000 + at }));
    const self = { host: '127.0.0.1', port: 6881 };
    small.tell(present([self, ...many]));
    small.tell(present([self, ...many]));
    small.tell(present(many));
    small.tell(present([]));
    await vi.waitFor(() => expect(heard).toHaveLength(3), WAIT);
    expect(heard.map(({ id, body }) => [id, readPex(body)?.length])).toEqual([
      [8, 50],
      [8, 10],
      [8, 0],
    ]);
    expect(Buffer.from(heard[2]?.body ?? []).toString('latin1')).toContain('7:dropped300:');
  });

  it('hears of others no oftener than once a minute, and only of addresses that can be contacted', async () => {
    talk({ allowLocal: false });
    const message = encodePex(
      [
        { host: '8.8.8.8', port: 2000 },
        { host: '10.0.0.1', port: 2000 },
        { host: '8.8.4.4', port: 0 },
      ],
      [],
    );
    for (let count = 0; count < 3; count++) theirs.sendExtended(FOREIGN_ID.ut_pex, message);
    ask(0);
    await vi.waitFor(() => expect(verdicts).toHaveLength(1), WAIT);
    expect(found).toEqual([[{ host: '8.8.8.8', port: 2000 }]]);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
    theirs.sendExtended(FOREIGN_ID.ut_pex, message);
    await vi.waitFor(() => expect(found).toHaveLength(2), WAIT);
  });
});
