import { z } from 'zod';
import { base64Bytes, infoHash, nodeId, satoshi } from './codecs.js';
import { defineEvent, defineRequest } from './contract.js';

/** Largest part of a .torrent file in one answer: base64 of it stays below the broker's 1 MiB limit. */
export const METAINFO_PART_BYTES = 512 * 1024;

export const seedingState = z.enum([
  'waiting',
  'fetching',
  'verifying',
  'on-sale',
  'paused',
  'missing',
  'corrupt',
  'failed',
]);

/** Where a node stands and what it takes. */
export const nodePlace = z.object({
  /** In the operator's words; a torrent's sellers are spread over zones. */
  zone: z.string().max(60),
  /** Content it takes, bytes; null: whatever it is told. */
  capacityBytes: z.int().min(0).nullable(),
  maxTorrents: z.int().min(0).max(10_000_000).nullable(),
  /** Share of the torrents relative to other nodes. */
  weight: z.int().min(1).max(1_000),
});

/** A node enters the fleet, or comes back. */
export const nodeRegister = defineRequest({
  subject: 'fleet.register.*',
  owner: 'market-api',
  askedBy: ['swarm-node'],
  fromNode: true,
  request: z.object({
    nodeId,
    /** HOST:PORT for leechers. */
    peerAddress: z.string().max(300),
    version: z.string().max(40),
    /** What placement goes by. Absent: one zone, no limits, weight 1. */
    place: nodePlace.optional(),
  }),
  reply: z.object({ accepted: z.boolean() }),
});

/** A node lives. Every 5 s. */
export const nodeHeartbeat = defineEvent({
  subject: 'fleet.heartbeat.*',
  owner: 'swarm-node',
  heardBy: ['market-api'],
  fromNode: true,
  payload: z.object({
    nodeId,
    peerAddress: z.string().max(300),
    connections: z.int().min(0),
    activeChannels: z.int().min(0),
    joinedChannels: z.int().min(0),
    piecesSold: z.int().min(0),
    bytesSold: z.int().min(0),
    /** Delivered and not yet durably paid. */
    exposureBytes: z.int().min(0),
    draining: z.boolean(),
  }),
});

/** How the verification and sale of a torrent stand on a node. Sent on each change and at most once a second. */
export const seedingReport = defineRequest({
  subject: 'fleet.seeding-report.*',
  owner: 'market-api',
  askedBy: ['swarm-node'],
  fromNode: true,
  request: z.object({
    nodeId,
    reports: z
      .array(
        z.object({ infoHash, state: seedingState, progress: z.number().min(0).max(1), detail: z.string().max(300) }),
      )
      .max(500),
  }),
  reply: z.object({}),
});

/** What a node may give away of a torrent to ordinary leechers, for nothing. Days are those of UTC. */
export const freeTier = z.object({
  bytesPerDay: z.int().positive(),
  /** To one IPv4 address or IPv6 /48. */
  bytesPerPeerDay: z.int().positive(),
});

/** Terms as the operator wants them, policy already applied except what depends on the buyer or the fee forecast. */
export const effectiveOffer = z.object({
  version: z.int().min(0),
  priceSat: satoshi,
  /** Null: fitted to each buyer by policy. */
  lockUnits: z.int().min(0).max(65_535).nullable(),
  /** Null: what `channelQuote` says at the moment. */
  settlementFeeSat: satoshi.nullable(),
  minContractFeePerKbSat: satoshi,
  maxSellers: z.int().min(1).max(0xffff_ffff),
  /** Null: not a byte without payment. */
  freeTier: freeTier.nullable().default(null),
});

/** The torrents a node has to seed, in pages ordered by infohash. */
export const nodeAssignments = defineRequest({
  subject: 'fleet.assignments.*',
  owner: 'market-api',
  askedBy: ['swarm-node'],
  fromNode: true,
  request: z.object({ nodeId, after: infoHash.nullable() }),
  reply: z.object({
    torrents: z
      .array(
        z.object({
          infoHash,
          state: z.enum(['active', 'paused']),
          version: z.int(),
          metainfoBytes: z.int().positive(),
          /** Absolute path on the node, or the HTTP(S) address it fetches the content from. */
          contentPath: z.string().max(4_096),
          offer: effectiveOffer,
        }),
      )
      .max(500),
    /** False: ask again after the last infohash of this page. */
    complete: z.boolean(),
  }),
});

/** Part of a .torrent file. */
export const torrentMetainfo = defineRequest({
  subject: 'fleet.metainfo',
  owner: 'market-api',
  askedBy: ['swarm-node'],
  request: z.object({ infoHash, offsetBytes: z.int().min(0) }),
  reply: z.object({ found: z.boolean(), part: base64Bytes(METAINFO_PART_BYTES), totalBytes: z.int().min(0) }),
});

/** Torrents or offers changed: nodes fetch their assignments again. They also do so every 15 s. */
export const assignmentsChanged = defineEvent({
  subject: 'fleet.assignments-changed',
  owner: 'market-api',
  heardBy: ['swarm-node'],
  payload: z.object({ reason: z.string().max(100) }),
});

/** Torrents in one message of a takedown. */
export const MAX_TAKEN_DOWN = 5_000;

/** Torrents in one message of news; with their terms it stays far below the broker's 1 MiB. */
export const MAX_NEWS_TORRENTS = 100;

/**
 * Terms of these torrents changed: nodes that have them sell at the new ones from now on, without asking. A node drops
 * what is older than what it has. Lost news are made good by the next fetch.
 */
export const offersChanged = defineEvent({
  subject: 'fleet.offers-changed',
  owner: 'market-api',
  heardBy: ['swarm-node'],
  payload: z.object({
    torrents: z
      .array(z.object({ infoHash, version: z.int(), state: z.enum(['active', 'paused']), offer: effectiveOffer }))
      .max(MAX_NEWS_TORRENTS),
  }),
});

/**
 * These torrents must not be seeded any more. A node ends what it does with them when it hears of it, also while it follows
 * many other assignments. Lost news are made good by the next fetch, in which they are missing.
 */
export const torrentsTakenDown = defineEvent({
  subject: 'fleet.torrents-taken-down',
  owner: 'market-api',
  heardBy: ['swarm-node'],
  payload: z.object({ infoHashes: z.array(infoHash).max(MAX_TAKEN_DOWN) }),
});

/** Torrents in one question after takedowns: also with the longest content paths the answer stays below 1 MiB. */
export const MAX_ASKED_TAKEN_DOWN = 200;

/**
 * Which of these torrents, that the node still has something of, were taken down: asked of everything it is not to seed
 * any more, so that an order reaches also a node that was away when it was given.
 */
export const takenDownAmong = defineRequest({
  subject: 'fleet.taken-down-among.*',
  owner: 'market-api',
  askedBy: ['swarm-node'],
  fromNode: true,
  request: z.object({ nodeId, infoHashes: z.array(infoHash).max(MAX_ASKED_TAKEN_DOWN) }),
  reply: z.object({
    takenDown: z
      .array(
        z.object({
          infoHash,
          /** Whether files that the operator put there are to be deleted too. What a node fetched always is. */
          deleteOwn: z.boolean(),
          contentPath: z.string().max(4_096),
        }),
      )
      .max(MAX_ASKED_TAKEN_DOWN),
  }),
});

/** What a node did with the content of a torrent that was taken down. For the audit. */
export const takenDownContent = defineRequest({
  subject: 'fleet.taken-down-content.*',
  owner: 'market-api',
  askedBy: ['swarm-node'],
  fromNode: true,
  request: z.object({
    nodeId,
    infoHash,
    deletedBytes: z.int().min(0),
    /** Where files of the operator lie on, untouched; empty: nowhere. */
    leftAt: z.string().max(4_096),
    /** Why something could not be deleted; empty where all was. */
    problem: z.string().max(300),
  }),
  reply: z.object({}),
});

/** Torrents in one demand report, and different bids of each: together far below the broker's 1 MiB. */
export const MAX_REPORTED_TORRENTS = 100;
export const MAX_REPORTED_BIDS = 64;

const seen = z.int().min(0);

/**
 * What buyers asked of a node since its last report. `run` changes with each start of the node and `seq` grows with each
 * report, so that a repeated one is not counted twice.
 */
export const demandReport = defineRequest({
  subject: 'fleet.demand-report.*',
  owner: 'market-api',
  askedBy: ['swarm-node'],
  fromNode: true,
  request: z.object({
    nodeId,
    run: z.uuid(),
    seq: z.int().min(1),
    torrents: z
      .array(
        z.object({
          infoHash,
          buyers: seen,
          buyersBelowPrice: seen,
          bidsUncounted: seen,
          speedTestsAnswered: seen,
          speedTestsRefused: seen,
          lostAfterSpeedTest: seen,
          joinsRefused: seen,
          joined: seen,
          won: seen,
          lostAfterJoin: seen,
          sentBytes: seen,
          /** How long those took to leave, added up over pieces. */
          sentMs: seen,
          /** Most that buyers pay for a piece, and how many of them. */
          bids: z.array(z.object({ priceSat: satoshi, count: z.int().min(1) })).max(MAX_REPORTED_BIDS),
        }),
      )
      .max(MAX_REPORTED_TORRENTS),
  }),
  reply: z.object({}),
});
