import { PeerListener, UtpPort, type RefusalReason } from '@seedfleet/bittorrent';
import type { Policy } from '@seedfleet/policy';
import type { Logger } from '@seedfleet/service-kit';
import type { ConnectionLimits } from '../limits/connection-limits.js';
import { originOf, type Origin } from '../limits/origin.js';
import { costOfRefusal } from '../limits/costs.js';
import type { SourceScores } from '../limits/source-scores.js';
import type { NodeMetrics } from '../metrics/node-metrics.js';
import type { SalesFloor } from '../selling/sales-floor.js';
import type { Entrance } from './entrance.js';
import type { TorrentSides } from './torrent-sides.js';

export interface DoorParts {
  readonly host: string;
  readonly port: number;
  /** Whether peers may come by uTP too. */
  readonly utp: boolean;
  readonly peerId: Uint8Array;
  readonly regtest: boolean;
  readonly policy: Policy;
  readonly sides: TorrentSides;
  readonly entrance: Entrance;
  readonly floor: SalesFloor;
  readonly limits: ConnectionLimits;
  readonly sources: SourceScores;
  readonly metrics: NodeMetrics;
  readonly logger: Logger;
}

/** Refusals that come before a connection was counted. */
const NEVER_ENTERED: ReadonlySet<string> = new Set(['not-admitted', 'too-many-handshakes']);

/** Where peers come in: counts them, shows them the torrents on sale, and hands them to the sales floor. */
export class Door {
  private readonly listener: PeerListener;
  private utpPort: UtpPort | undefined;

  constructor(private readonly parts: DoorParts) {
    const { host, port, peerId, policy } = parts;
    this.listener = new PeerListener({
      host,
      port,
      peerId,
      handshakeTimeoutMs: policy.timeouts.handshakeMs,
      maxHandshakes: policy.connections.maxHandshakesPerNode,
      torrentOf: (infoHash) => parts.sides.of(infoHash),
      infoHashOf: (obfuscated) => parts.sides.infoHashOf(obfuscated),
      admit: (address) => this.admit(address),
      onPeer: (peer) => void parts.entrance.take(peer, originOf(peer.remoteAddress, parts.regtest)),
      onRefused: (code, address) => this.onRefused(code, originOf(address, parts.regtest)),
    });
  }

  /** Binds; answers the port. Rejects with a sentence for the operator. */
  async open(): Promise<number> {
    const bound = await this.listener.listen();
    if (bound.ok) {
      if (this.parts.utp) await this.openUtp(bound.value.port);
      return bound.value.port;
    }
    const { code, detail } = bound.error;
    throw new Error(`can't listen for peers on ${detail}: ${code}; set PEER_HOST and PEER_PORT to a free address`);
  }

  /** uTP on the UDP port of the same number, where there is one. */
  get utp(): UtpPort | undefined {
    return this.utpPort;
  }

  close(): void {
    this.listener.close();
  }

  /** Once nothing uses it any more. */
  closeUtp(): void {
    this.utpPort?.close();
  }

  private async openUtp(port: number): Promise<void> {
    const { host, logger } = this.parts;
    const opened = await UtpPort.open(host, port, (stream) => void this.listener.accept(stream));
    if (opened.ok) this.utpPort = opened.value;
    else logger.warn({ code: opened.error, port }, 'no uTP: peers come by TCP only');
  }

  private admit(address: string): boolean {
    const { limits, metrics, regtest } = this.parts;
    const origin = originOf(address, regtest);
    const refusal = this.refusalOf(origin);
    if (refusal === undefined) limits.enter(origin);
    else metrics.connectionsRefused.inc({ code: refusal });
    return refusal === undefined;
  }

  private refusalOf(origin: Origin) {
    const { limits, sources, floor } = this.parts;
    if (floor.isDraining) return 'draining';
    const limit = limits.limitFor(origin);
    // A full node lets go of whoever buys nothing, for somebody who might.
    if (limit !== undefined && !(limit === 'node-connections' && floor.makeRoom())) return limit;
    return sources.refusalOf(origin);
  }

  private onRefused(code: RefusalReason, origin: Origin): void {
    const { metrics, limits, sources } = this.parts;
    // Who was not admitted has been counted by its cause.
    if (code !== 'not-admitted') metrics.connectionsRefused.inc({ code });
    if (NEVER_ENTERED.has(code)) return;
    limits.handshaken(origin);
    limits.leave(origin);
    const cost = costOfRefusal(code);
    if (cost !== undefined) sources.charge(origin, cost);
  }
}
