import type { Result } from '../../result.js';
import type { PeerAddress } from '../addresses.js';

/** One announce to one tracker (BEP 3, 15, 23). */
export interface Announce {
  /** `http:`, `https:` or `udp:`. */
  readonly url: URL;
  /** Lowercase hex. */
  readonly infoHash: string;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** Where we listen; undefined when we only ask. */
  readonly port: number | undefined;
  /** What is still to be downloaded, bytes: trackers don't tell seeds of seeds. */
  readonly leftBytes: number;
  readonly event: 'started' | 'stopped' | undefined;
  /** Address for others, where it is configured; many trackers only believe the one they see. */
  readonly publicHost: string | undefined;
  /** Tells the tracker that two addresses are one client: random, the same for all announces of a run. */
  readonly key: number;
  /** What an earlier answer asked us to repeat. */
  readonly trackerId: Uint8Array | undefined;
  /** Address to ask from, `0.0.0.0` or `::` for any of its family: the tracker lists us under that family (BEP 7). */
  readonly localHost: string;
}

export interface AnnounceReply {
  /** Unchecked; at most `peersPerReport`. */
  readonly peers: readonly PeerAddress[];
  readonly intervalMs: number | undefined;
  readonly trackerId?: Uint8Array;
  /** Our address as the tracker sees it (BEP 24), 4 or 16 bytes. */
  readonly ourAddress?: Uint8Array;
}

export type AnnounceError =
  /** No connection, or no such name. */
  | 'tracker-unreachable'
  | 'tracker-timeout'
  /** Another status than 200, too many redirections, or bytes that are no answer. */
  | 'tracker-answer-invalid'
  /** The answer is longer than an answer can be. */
  | 'tracker-answer-too-large'
  /** The tracker refused, with a sentence. */
  | 'tracker-refused';

export type AnnounceOutcome = Result<AnnounceReply, { readonly code: AnnounceError; readonly detail: string }>;
