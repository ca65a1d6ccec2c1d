import { dialPeer, type PeerAddress, type UtpPort } from '@seedfleet/bittorrent';
import type { Policy } from '@seedfleet/policy';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import { originOf, type Origin } from '../limits/origin.js';
import type { SourceScores } from '../limits/source-scores.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { SalesFloor } from '../selling/sales-floor.js';
import { DialList, type Candidate } from './dial-list.js';
import type { Entrance } from './entrance.js';
import type { TorrentSides } from './torrent-sides.js';

export interface DiallerParts {
  /** Address to connect from; undefined: the system's choice. */
  readonly localAddress: string | undefined;
  /** Tried where TCP gets no connection. */
  readonly utp: UtpPort | undefined;
  readonly peerId: Uint8Array;
  readonly encryption: 'off' | 'prefer' | 'require';
  readonly maxConnections: number;
  readonly regtest: boolean;
  readonly policy: Policy;
  readonly sides: TorrentSides;
  readonly floor: SalesFloor;
  readonly limits: ConnectionLimits;
  readonly sources: SourceScores;
  readonly entrance: Entrance;
  readonly metrics: NodeMetrics;
  readonly nowMs: () => number;
}

/** A connection that lasted so long was wanted by the other side too. */
const WORTHWHILE_MS = 10 * 60_000;
const SECOND_MS = 1_000;

/**
 * Connects to peers that were found, a few at a time and never the same too often. Reference buyers try uTP and
 * encryption first and reach a listener only after seconds; whoever dials them is there at once.
 */
export class Dialler {
  private readonly list: DialList;
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private halfOpen = 0;

  constructor(private readonly parts: DiallerParts) {
    this.list = new DialList(parts.policy.dialling, parts.nowMs);
  }

  start(): void {
    this.timer = setInterval(() => this.dialSome(), SECOND_MS);
  }

  /** Hears of peers of a torrent; `preferred`: they speak JoyStream. */
  offer(infoHash: string, peers: readonly PeerAddress[], preferred: boolean): void {
    for (const peer of peers) this.list.add(infoHash, peer, preferred);
    this.parts.metrics.dialCandidates.set(this.list.size);
  }

  forget(infoHash: string): void {
    this.list.forget(infoHash);
  }

  stop(): void {
    clearInterval(this.timer);
    this.stopping.abort();
  }

  private dialSome(): void {
    const { policy, floor, limits, maxConnections } = this.parts;
    const { maxHalfOpen, perSecond, maxConnectionsPercent } = policy.dialling;
    const places = Math.floor((maxConnections * maxConnectionsPercent) / 100) - limits.count;
    const most = Math.min(perSecond, maxHalfOpen - this.halfOpen, places);
    if (most <= 0 || floor.isDraining) return;
    for (const candidate of this.list.due(most)) {
      const origin = originOf(candidate.address.host, this.parts.regtest);
      if (this.mayDial(candidate, origin)) void this.dial(candidate, origin);
      else this.list.finished(candidate, true);
    }
  }

  private mayDial({ infoHash, address }: Candidate, origin: Origin): boolean {
    const { entrance, limits, sources } = this.parts;
    if (entrance.isConnected(infoHash, address.host)) return false;
    return limits.limitFor(origin) === undefined && sources.standing(origin) === 'good';
  }

  private async dial(candidate: Candidate, origin: Origin): Promise<void> {
    const { sides, limits, entrance, metrics, peerId, encryption, localAddress, policy, nowMs, utp } = this.parts;
    const torrent = sides.of(candidate.infoHash);
    if (torrent === undefined) return this.list.forget(candidate.infoHash);
    candidate.busy = true;
    this.halfOpen += 1;
    limits.enter(origin);
    const outcome = await dialPeer({
      ...candidate.address,
      torrent,
      peerId,
      encryption,
      handshakeTimeoutMs: policy.timeouts.handshakeMs,
      signal: this.stopping.signal,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(utp === undefined ? {} : { utp }),
    });
    this.halfOpen -= 1;
    metrics.dials.inc({ outcome: outcome.ok ? 'connected' : outcome.error });
    if (!outcome.ok) {
      limits.handshaken(origin);
      limits.leave(origin);
      if (outcome.error === 'self-connection') this.list.exclude(candidate);
      else this.list.finished(candidate, false);
      return;
    }
    const sinceMs = nowMs();
    const taken = entrance.take(outcome.value, origin, () => {
      this.list.finished(candidate, nowMs() - sinceMs >= WORTHWHILE_MS);
    });
    if (!taken) this.list.finished(candidate, true);
  }
}
