const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** The numbers of discovery, each with its reason. */
export const DISCOVERY_DEFAULTS = {
  /** How often a hash is looked up in the DHT: reference clients do it every 30 s (client behaviour §5). */
  lookupEveryMs: 30 * SECOND_MS,
  /** How often we announce ourselves there: reference clients do it every two minutes. */
  announceEveryMs: 120 * SECOND_MS,
  /**
   * UDP packets per second that the DHT may send. One visit of a hash costs about 60, so this revisits both hashes of
   * 5,000 torrents in 25 minutes, within the half hour that nodes remember an announce, at some 50 kB/s.
   */
  packetsPerSecond: 400,
  /** Packets that may leave in one go after a quiet time: some visits' worth. */
  packetBurst: 800,
  /** Hashes visited at once. */
  concurrentVisits: 8,
  /** Queries in flight over all visits; dead nodes hold theirs for 2 s. */
  concurrentQueries: 64,
  /** A visit of slow nodes is given up. */
  visitTimeoutMs: 20 * SECOND_MS,
  /** Queries of strangers that are answered per second. */
  answersPerSecond: 200,
  /** Peers of one torrent that one visit or one announce may report: clients connect to some dozens. */
  peersPerReport: 200,
  /** Nodes announce again within 30 minutes; older entries are stale. */
  storedPeerAgeMs: 45 * MINUTE_MS,
  /** Peers kept for others. */
  storedPeers: 10_000,
  /** Peers in one answer, so that it fits a packet and we amplify nobody's attack. */
  peersPerAnswer: 50,
  /** How long a first answer of a bootstrap node is waited for. */
  bootstrapAnswerMs: 3 * SECOND_MS,
  /** With fewer known DHT nodes than this, the bootstrap nodes are asked again. */
  enoughNodes: 8,
  /** First pause before they are asked again; doubles up to ten minutes. */
  bootstrapAgainMs: 3 * SECOND_MS,
  bootstrapAgainMaxMs: 10 * MINUTE_MS,

  /** Trackers used of one torrent: more are copies of the same lists. */
  trackersPerTorrent: 12,
  /** Tracker announces under way at once. */
  concurrentAnnounces: 16,
  /** Tracker announces begun per second: 5,000 torrents with two trackers each take eight minutes. */
  announcesPerSecond: 20,
  /** Peers asked of a tracker: what most clients ask. */
  numWant: 50,
  /** Interval where a tracker names none, and the bounds of what it may name. */
  trackerIntervalMs: 30 * MINUTE_MS,
  trackerIntervalMinMs: MINUTE_MS,
  trackerIntervalMaxMs: 60 * MINUTE_MS,
  /** First pause after a failure; doubles up to half an hour. */
  trackerRetryMs: MINUTE_MS,
  trackerRetryMaxMs: 30 * MINUTE_MS,
  /** An announce without an answer is given up: connect, answer and body together. */
  trackerTimeoutMs: 15 * SECOND_MS,
  /** Longest answer read: 200 peers as dictionaries take 20 kB. */
  trackerReplyBytes: 256 * 1024,
  /** Trackers told at a stop that we leave, and how long that may take. */
  farewells: 200,
  farewellMs: 2 * SECOND_MS,
} as const;
