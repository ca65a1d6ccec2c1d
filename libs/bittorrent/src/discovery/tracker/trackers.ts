import { randomBytes } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import { Agenda, jittered } from '../agenda.js';
import { hostOfBytes, isLocalHost, type PeerAddress } from '../addresses.js';
import { Allowance } from '../allowance.js';
import { DISCOVERY_DEFAULTS } from '../defaults.js';
import type { Announce, AnnounceError, AnnounceOutcome } from './announce.js';
import { announceHttp } from './http.js';
import { UdpTrackers } from './udp.js';

export interface TrackerTorrent {
  /** Lowercase hex. */
  readonly infoHash: string;
  /** Tracker URLs; those that can't be used are left out. */
  readonly announce: readonly string[];
  /** Where we listen; null: only ask. */
  readonly port: number | null;
  readonly leftBytes: number;
}

export interface TrackersOptions {
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Only trackers named by an address of this machine or a private network. */
  readonly localOnly: boolean;
  /** Addresses to ask from, at most one of each family: each tracker is asked from each. */
  readonly localHosts: readonly string[];
  readonly publicHost: string | undefined;
  readonly onPeers: (infoHash: string, peers: readonly PeerAddress[]) => void;
  readonly onOurAddress: (address: string, from: string) => void;
  /** After each announce: undefined when it succeeded. */
  readonly onOutcome: (infoHash: string, url: URL, error: AnnounceError | undefined, detail: string) => void;
}

/** Announces torrents to their trackers, each at the tracker's own interval, spread out. */
export class Trackers {
  private readonly starts = new Allowance(DISCOVERY_DEFAULTS.announcesPerSecond, DISCOVERY_DEFAULTS.announcesPerSecond);
  private readonly agenda = new Agenda({
    maxRunning: DISCOVERY_DEFAULTS.concurrentAnnounces,
    mayStart: () => this.starts.take(),
  });
  private readonly relations = new Map<string, TrackerRelation[]>();
  private readonly udp: UdpTrackers;
  private readonly key = randomBytes(4).readUInt32BE(0);
  private readonly closing = new AbortController();

  constructor(private readonly options: TrackersOptions) {
    this.udp = new UdpTrackers(options.localHosts);
  }

  add(torrent: TrackerTorrent): void {
    const urls = usableTrackers(torrent.announce, this.options.localOnly);
    this.relations.set(
      torrent.infoHash,
      urls.flatMap((url) =>
        this.hostsFor(url).map((localHost) => {
          const relation = new TrackerRelation(
            torrent,
            url,
            localHost,
            this.options,
            (announce) => this.announce(announce),
            this.key,
          );
          relation.cancel = this.agenda.add(() => relation.visit());
          return relation;
        }),
      ),
    );
  }

  /** Forgets a torrent; trackers that knew us hear that we leave. */
  remove(infoHash: string): void {
    for (const relation of this.relations.get(infoHash) ?? []) {
      relation.cancel();
      if (relation.isKnown) void this.announce(relation.request('stopped'));
    }
    this.relations.delete(infoHash);
  }

  /** Says farewell to as many trackers as fit the time, and ends. */
  async stop(): Promise<void> {
    this.agenda.stop();
    const known = [...this.relations.values()].flat().filter((relation) => relation.isKnown);
    const farewells = known.slice(0, DISCOVERY_DEFAULTS.farewells);
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      Promise.all(farewells.map((relation) => this.announce(relation.request('stopped')))),
      new Promise((resolve) => (timer = setTimeout(resolve, DISCOVERY_DEFAULTS.farewellMs))),
    ]);
    clearTimeout(timer);
    this.relations.clear();
    this.closing.abort();
    this.udp.close();
  }

  /** Where an address is given instead of a name, only its own family reaches it. */
  private hostsFor({ hostname }: URL): readonly string[] {
    const family = isIP(hostname.replace(/^\[|\]$/g, ''));
    return this.options.localHosts.filter((host) => family === 0 || isIP(host) === family);
  }

  private announce(announce: Announce): Promise<AnnounceOutcome> {
    return announce.url.protocol === 'udp:' ? this.udp.announce(announce) : announceHttp(announce, this.closing.signal);
  }
}

/** One torrent at one tracker. */
class TrackerRelation {
  cancel: () => void = () => undefined;
  private known = false;
  private failures = 0;
  private trackerId: Uint8Array | undefined;

  constructor(
    private readonly torrent: TrackerTorrent,
    private readonly url: URL,
    private readonly localHost: string,
    private readonly options: TrackersOptions,
    private readonly send: (announce: Announce) => Promise<AnnounceOutcome>,
    private readonly key: number,
  ) {}

  /** Whether the tracker lists us. */
  get isKnown(): boolean {
    return this.known && this.torrent.port !== null;
  }

  /** Announces; answers when to do it again. */
  async visit(): Promise<number> {
    const outcome = await this.send(this.request(this.known ? undefined : 'started'));
    const { infoHash } = this.torrent;
    if (!outcome.ok) {
      const { trackerRetryMs, trackerRetryMaxMs } = DISCOVERY_DEFAULTS;
      // Many trackers have one family only, and so have many machines: that is no failure.
      const isSpare = this.options.localHosts.length > 1 && isIPv6(this.localHost);
      if (isSpare && outcome.error.code === 'tracker-unreachable') return jittered(trackerRetryMaxMs);
      this.options.onOutcome(infoHash, this.url, outcome.error.code, outcome.error.detail);
      return jittered(Math.min(trackerRetryMs * 2 ** this.failures++, trackerRetryMaxMs));
    }
    const { peers, intervalMs, trackerId, ourAddress } = outcome.value;
    this.known = true;
    this.failures = 0;
    this.trackerId = trackerId ?? this.trackerId;
    this.options.onOutcome(infoHash, this.url, undefined, '');
    if (ourAddress !== undefined) this.options.onOurAddress(hostOfBytes(ourAddress), this.url.hostname);
    this.options.onPeers(infoHash, peers);
    const { trackerIntervalMs, trackerIntervalMinMs, trackerIntervalMaxMs } = DISCOVERY_DEFAULTS;
    const asked = intervalMs ?? trackerIntervalMs;
    // Never before the tracker's interval: it may count that as abuse.
    return Math.min(Math.max(asked, trackerIntervalMinMs), trackerIntervalMaxMs) * (1 + Math.random() / 10);
  }

  request(event: Announce['event']): Announce {
    const { localHost } = this;
    const { peerId, publicHost } = this.options;
    const { infoHash, port, leftBytes } = this.torrent;
    return {
      url: this.url,
      infoHash,
      peerId,
      port: port ?? undefined,
      leftBytes,
      event,
      publicHost: publicHost !== undefined && isIP(publicHost) === isIP(localHost) ? publicHost : undefined,
      localHost,
      key: this.key,
      trackerId: this.trackerId,
    };
  }
}

const PROTOCOLS: ReadonlySet<string> = new Set(['http:', 'https:', 'udp:']);

/** The trackers that can be spoken to, each once, at most so many. */
export function usableTrackers(urls: readonly string[], localOnly: boolean): URL[] {
  const usable = new Map<string, URL>();
  for (const text of urls) {
    if (usable.size === DISCOVERY_DEFAULTS.trackersPerTorrent) break;
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !PROTOCOLS.has(url.protocol) || url.hostname === '') continue;
    if (!localOnly || isLocalHost(url.hostname)) usable.set(url.href, url);
  }
  return [...usable.values()];
}
