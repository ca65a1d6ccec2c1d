import { nodeId } from '@seedfleet/bus';
import { brokerConfig, commonConfig, literalAddress, mayCall, networks } from '@seedfleet/service-kit';
import { DEFAULT_POLICY } from '@seedfleet/policy';
import { z } from 'zod';

const MIB = 1024 * 1024;

/** What a swarm node reads from its environment. */
export const swarmNodeConfig = commonConfig.extend({
  /** Names the node in the fleet, for ever: also a subject token. */
  NODE_ID: nodeId,
  ...brokerConfig,
  /** Address to listen on for BitTorrent: one of this machine's, or `::` for all. */
  PEER_HOST: z.string().min(1).default('127.0.0.1'),
  /** Port for BitTorrent; 0: any free one. */
  PEER_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** Address announced to leechers. Default: PEER_HOST, or what DHT nodes and trackers see where that is `::`. */
  PEER_PUBLIC_HOST: z.string().min(1).optional(),
  /**
   * Trackers: `on`; `local`, only those on this machine or a private network; `off`. Default: `on`, and `local` on
   * regtest, where nothing goes out to the Internet unasked.
   */
  TRACKERS: z.enum(['on', 'local', 'off']).optional(),
  /** `true`: private torrents are announced to their trackers too. */
  PRIVATE_TRACKERS: z.stringbool().default(false),
  /** `true`: peers may come by uTP too, on the UDP port of the same number, where its library is installed. */
  UTP: z.stringbool().default(true),
  /** `false` leaves the DHT. */
  DHT: z.stringbool().default(true),
  /** UDP port of the DHT, shared with uTP where they meet. 0: the number of the peers' port if it is free, else any. */
  DHT_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** HOST:PORT,… of DHT nodes to join through, or empty. Default: the public ones, and none on regtest. */
  DHT_BOOTSTRAP: z.string().optional(),
  /** Encryption when dialling out: `prefer`, `require` or `off`. Inbound connections may always choose. */
  PEER_ENCRYPTION: z.enum(['prefer', 'require', 'off']).default('prefer'),
  /** Where the node stands, in the operator's words: a torrent's sellers are spread over zones. */
  ZONE: z.string().max(60).default(''),
  /** Most content it is to be given, bytes. Default: no limit. */
  CAPACITY_BYTES: z.coerce.number().int().min(0).optional(),
  /** Most torrents it is to be given. Default: no limit. */
  MAX_TORRENTS: z.coerce.number().int().min(0).max(10_000_000).optional(),
  /** Its share of the torrents relative to other nodes. */
  PLACEMENT_WEIGHT: z.coerce.number().int().min(1).max(1_000).default(1),
  /** Keeps .torrent files and what has been verified. Nothing in it is irreplaceable. */
  DATA_DIR: z.string().min(1),
  /** Where content that the node fetches by itself is kept. Default: `content` in DATA_DIR. */
  CONTENT_DIR: z.string().min(1).optional(),
  /** Most bytes of fetched content. Default: CAPACITY_BYTES, and no limit but the volume where that has none. */
  CONTENT_QUOTA_BYTES: z.coerce.number().int().min(0).optional(),
  /** Bytes of the volume that fetched content leaves free. */
  CONTENT_KEEP_FREE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(1024 * MIB),
  /** Hours that fetched content is kept when it is not placed here any more; less where room is needed. */
  CONTENT_KEEP_HOURS: z.coerce.number().min(0).default(168),
  /** Torrents fetched at the same time. */
  CONTENT_FETCHES: z.coerce.number().int().min(1).max(16).default(2),
  /** Private networks that content may be fetched from nevertheless, as an object store in the same cluster. */
  CONTENT_NETWORKS: networks,
  /** Memory for pieces being read, sent and cached, MiB. */
  PIECE_MEMORY_MIB: z.coerce.number().int().min(16).default(256),
  /** Most peer connections. */
  MAX_CONNECTIONS: z.coerce.number().int().min(1).default(2_000),
  /** Bandwidth of the node, bytes per second: speed tests may use a hundredth of it. Default 1 Gbit/s. */
  BANDWIDTH_BYTES_PER_SECOND: z.coerce.number().int().min(MIB).default(125_000_000),
  /** `true`: limits per address and subnet hold for this machine's own addresses too, which regtest spares otherwise. */
  LIMIT_LOCAL_ADDRESSES: z.stringbool().default(false),
  /** How long running channels may go on after SIGTERM, ms. Default: 5 s on regtest, else the policy's two hours. */
  DRAIN_MS: z.coerce.number().int().min(0).optional(),
});

export type SwarmNodeConfig = z.output<typeof swarmNodeConfig>;

const REGTEST_DRAIN_MS = 5_000;

/** Where clients join the mainline DHT (client behaviour §5). */
const PUBLIC_BOOTSTRAP = [
  'router.bittorrent.com:6881',
  'router.utorrent.com:6881',
  'dht.libtorrent.org:25401',
  'dht.transmissionbt.com:6881',
  'dht.aelitis.com:6881',
];

/** DHT nodes to join through. */
export function bootstrapNodes(config: SwarmNodeConfig): readonly string[] {
  if (config.DHT_BOOTSTRAP === undefined) return isRegtest(config) ? [] : PUBLIC_BOOTSTRAP;
  return config.DHT_BOOTSTRAP.split(',').flatMap((text) => (text.trim() === '' ? [] : [text.trim()]));
}

/**
 * The address that leechers are told: the configured one; else the one listened on; else, where that is no address of
 * its own (`::`), what strangers see.
 */
export function publicHost(config: SwarmNodeConfig, detected: string | undefined): string {
  const { PEER_HOST: host } = config;
  const isAny = host === '::' || host === '0.0.0.0';
  return config.PEER_PUBLIC_HOST ?? (isAny ? (detected ?? host) : host);
}

/** Why leechers of the Internet can't reach the address they are told; null where they can, or only this machine is meant. */
export function addressProblem(config: SwarmNodeConfig, host: string): string | null {
  const local = isRegtest(config) || mayCall(host, ['127.0.0.0/8', '::1/128']);
  if (local || literalAddress(host) === undefined) return null;
  return `${host} is no public address: set PEER_PUBLIC_HOST`;
}

/** Which trackers are used. */
export function trackersOf(config: SwarmNodeConfig): 'on' | 'local' | 'off' {
  return config.TRACKERS ?? (isRegtest(config) ? 'local' : 'on');
}

export function isRegtest(config: SwarmNodeConfig): boolean {
  return config.SEEDFLEET_NETWORK.startsWith('regtest');
}

/** How long channels may run on after a stop was asked for, ms. */
export function drainMs(config: SwarmNodeConfig): number {
  if (config.DRAIN_MS !== undefined) return config.DRAIN_MS;
  return isRegtest(config) ? REGTEST_DRAIN_MS : DEFAULT_POLICY.drain.maxMs;
}
