import { createHash } from 'node:crypto';
import { nodeHeartbeat, nodeRegister, seedingReport } from '@seedfleet/bus';
import type { Prisma } from '@seedfleet/persistence';
import request from 'supertest';
import { channelRow } from './channel-rows.js';
import type { RunningMarketApi } from './market-api.js';
import { torrentFile } from './torrent-file.js';

/** A fleet with a month of made-up sales, the same each time: for specs and pictures of the dashboard. */

const TITLES = [
  'Leaves of Grass',
  'Sintel',
  'Big Buck Bunny',
  'Cosmos Laundromat',
  'Night of the Living Dead',
  'Metropolis (1927)',
  'Nosferatu',
  'Debian 12 netinst',
  'Wikipedia offline, English',
  'Open Goldberg Variations',
  'LibriVox: Moby Dick',
  'Spring (open movie)',
  'Tears of Steel',
  'The General',
] as const;
const DAYS = 30;
const DAY_MS = 86_400_000;
const BEAT_MS = 4_000;

export interface DemoFleet {
  readonly infoHashes: readonly string[];
  /** A channel whose settlement is buried. */
  readonly buriedId: string;
  stop(): void;
}

/** Numbers between 0 and 1 that look random and are the same each time. */
function sequence(seed: string): () => number {
  let round = 0;
  return () =>
    createHash('sha256')
      .update(`${seed} ${(round += 1)}`)
      .digest()
      .readUInt32BE(0) /
    2 ** 32;
}

export async function fillDemoFleet(api: RunningMarketApi): Promise<DemoFleet> {
  const files = TITLES.map((title) => torrentFile(title, { pieceLength: 131_072, pieceCount: 987 }));
  for (const [place, { base64 }] of files.entries()) {
    const body = {
      metainfo: base64,
      contentPath: `/srv/content/${place}`,
      labels: [place % 3 === 0 ? 'film' : 'book'],
    };
    await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
  }
  const infoHashes = files.map(({ infoHash }) => infoHash);
  const rows = channels(infoHashes);
  await api.admin.channel.createMany({ data: rows });
  await api.admin.channelEvent.createMany({ data: rows.flatMap(story) });
  // Books can't be changed; only the server's own user can make them look as if they had been written in the past.
  await api.admin.$transaction([
    api.admin.$executeRaw`SET LOCAL session_replication_role = replica`,
    api.admin.$executeRaw`
      UPDATE channel.book_posting p SET at = c."createdAt" FROM channel.channel c WHERE c.id = p."channelId"`,
  ]);
  await api.admin.$queryRaw`SELECT channel.roll_up_books(100000)`;
  // The ranking looks only at what was booked lately.
  await api.admin.$executeRaw`
    INSERT INTO market.torrent_earning ("infoHash", "revenueSat", "collectableSat", "buriedSat", "lostSat", channels)
    SELECT "infoHash", "revenueSat", "collectableSat", "buriedSat", "lostSat", channels FROM channel.revenue_by_torrent
    ON CONFLICT DO NOTHING`;
  await api.admin.chainBlock.create({
    data: {
      height: 874_213,
      hash: `${'0'.repeat(19)}${'4e81bc'.repeat(8)}`.slice(0, 64),
      previousHash: '0'.repeat(64),
      medianTimePast: Math.floor(Date.now() / 1_000) - 3_000,
    },
  });
  const stop = await nodes(api, infoHashes);
  const buried = rows.filter(({ state }) => state === 'buried').at(-1);
  return { infoHashes, buriedId: buried?.id ?? '', stop };
}

function channels(infoHashes: readonly string[]): Prisma.ChannelCreateManyInput[] {
  const random = sequence('sales');
  const now = Date.now();
  return Array.from({ length: DAYS }, (_, day) => day).flatMap((day) => {
    const season = 0.75 + 0.5 * Math.sin(day / 3) ** 2 + day / 40;
    return infoHashes.flatMap((infoHash, place) =>
      Array.from({ length: Math.floor((season * 6 * random()) / (1 + place / 2)) }, () => {
        const at = new Date(now - (DAYS - 1 - day) * DAY_MS - Math.floor(random() * 0.4 * DAY_MS));
        const k = BigInt(Math.floor(200 + random() * 787));
        const state = stateOn(day, random());
        const frozen = !['joined', 'funding-seen', 'funded'].includes(state);
        const settled = ['settling', 'settled', 'buried'].includes(state);
        const mark = createHash('sha256').update(`${day} ${place} ${random()}`).digest('hex');
        return channelRow({
          id: `${mark.slice(0, 8)}-${mark.slice(8, 12)}-4${mark.slice(13, 16)}-8${mark.slice(17, 20)}-${mark.slice(20, 32)}`,
          infoHash,
          nodeId: `node-${1 + (place % 3)}`,
          state,
          stateReason: state === 'funded' ? 'all-checks-passed' : 'next-step',
          peerAddress: `203.0.113.${1 + Math.floor(random() * 250)}`,
          k: state === 'joined' ? 0n : k,
          ...(frozen ? { frozenK: k, closeReason: 'peer-left' } : {}),
          ...(state === 'joined' ? {} : { fundingTxid: mark, fundingVout: 0, fundingConfirmations: 3 }),
          ...(settled ? { settlementTxid: mark.split('').reverse().join('') } : {}),
          ...(state === 'buried' ? { settlementConfirmations: 6, settlementHeight: 874_000 } : {}),
          deadlineMtp: Math.floor(now / 1_000) + 3_600 + Math.floor(random() * 20_000),
          nextActionAt: state === 'buried' ? null : new Date(now + DAY_MS),
          createdAt: at,
          stateEnteredAt: at,
        });
      }),
    );
  });
}

/** Old sales are buried; those of the last days are on their way. */
function stateOn(day: number, chance: number): string {
  if (day < DAYS - 2) return chance < 0.015 ? 'lost' : 'buried';
  if (day < DAYS - 1) return chance < 0.6 ? 'settled' : 'settling';
  return chance < 0.2 ? 'settling' : chance < 0.35 ? 'closing' : chance < 0.9 ? 'funded' : 'joined';
}

const STORY = ['joined', 'funding-seen', 'funded', 'closing', 'settling', 'settled', 'buried'];
const REASONS = [
  'join-accepted',
  'funding-in-mempool',
  'all-checks-passed',
  'peer-left',
  'settlement-stored',
  'mined',
  'six-blocks',
];

function story({ id, state, createdAt }: Prisma.ChannelCreateManyInput): Prisma.ChannelEventCreateManyInput[] {
  const last = STORY.indexOf(state);
  const beginning = new Date(createdAt ?? Date.now()).getTime();
  return STORY.slice(0, last === -1 ? 3 : last + 1).map((name, version) => ({
    channelId: id,
    version,
    state: name,
    reason: REASONS[version] ?? '',
    data: version === 1 ? { valueSat: '7509' } : {},
    at: new Date(beginning + version * 600_000),
  }));
}

async function nodes(api: RunningMarketApi, infoHashes: readonly string[]): Promise<() => void> {
  const bus = await api.busOf('swarm-node');
  const fleet = [1, 2, 3].map((number) => ({ nodeId: `node-${number}`, peerAddress: `198.51.100.${number}:7881` }));
  for (const node of fleet) {
    await bus.request(nodeRegister, { ...node, version: '0.1.0' });
    const reports = infoHashes.map((infoHash) => ({ infoHash, state: 'on-sale' as const, progress: 1, detail: '' }));
    await bus.request(seedingReport, { nodeId: node.nodeId, reports });
  }
  const beat = () => {
    for (const [place, node] of fleet.entries()) {
      const stats = { connections: 41 - place * 9, activeChannels: 7 - place, joinedChannels: 1, piecesSold: 48_211 };
      const bytes = { bytesSold: 6_318_718_976 + place * 731_005_952, exposureBytes: 1_572_864 };
      bus.publish(nodeHeartbeat, [], { ...node, ...stats, ...bytes, draining: false });
    }
  };
  beat();
  const timer = setInterval(beat, BEAT_MS);
  return () => clearInterval(timer);
}
