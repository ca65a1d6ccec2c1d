/**
 * Every reason for which the exchange closes a connection, ends a channel or remarks on a frame. Libraries return these
 * codes as data; the host logs, counts and scores them.
 */

import type { HandshakeErrorCode, MappingErrorCode, VersionErrorCode, WireErrorCode } from '@seedfleet/wire';

/** Why a connection is to be closed. One code per cause, none shared. */
export type CloseCode =
  // Extension layer (wire protocol §3, §7).
  /** `cc` of another major version, or not a version at all. */
  | VersionErrorCode
  /** `cc` is there but `m` is missing or not a dictionary. */
  | 'mapping-missing'
  /** A JoyStream payload that cannot be read; the codes are those of `libs/wire`. */
  | WireErrorCode
  /** A JoyStream id arrived from a peer that is not in the paid session. */
  | 'message-outside-session'
  /** An extended id that nobody announced. */
  | 'unknown-extended-id'
  /** A JoyStream payload larger than any legitimate one for our role (wire protocol §8). */
  | 'message-too-large'
  // Seller (state machine §3, §6).
  /** `join_contract` from a peer whose last mode message was not `buy`. */
  | 'join-from-non-buyer'
  /** `speedTestRequest` from a peer whose last mode message was not `buy`. */
  | 'speed-test-from-non-buyer'
  /** A second speed test on one installed connection. */
  | 'speed-test-repeated'
  /** A speed test of more than 2,000,000 bytes. */
  | 'speed-test-too-large'
  /** The host refused to open a channel and had no better terms to offer. */
  | 'join-refused'
  /** `ready.value` is zero or above all coins there are. */
  | 'funding-value-out-of-range'
  /** The funding output cannot carry one relayable payment (kCap = 0). */
  | 'funding-too-small'
  /** The buyer used our own contract key as its own. */
  | 'funding-keys-equal'
  /** The host's funding verdict was a refusal; its reason travels beside the code. */
  | 'funding-refused'
  /** `request_full_piece` with an index below 0 or past the last piece. */
  | 'piece-index-invalid'
  /** More requests outstanding than the queue's cap. */
  | 'request-queue-overflow'
  /** More payments than requests received. */
  | 'payment-overflow'
  /** A payment past kCap. */
  | 'payment-beyond-cap'
  /** A payment signature that is not strict DER. */
  | 'payment-encoding-invalid'
  /** A payment signature whose R or S is zero or not below the group order. */
  | 'payment-scalar-out-of-range'
  /** A payment signature with a high S. */
  | 'payment-high-s'
  /** A well-formed payment signature that does not verify for the next settlement. */
  | 'payment-signature-invalid'
  /** The first payment verifies only under the other signing rule: the buyer is on another chain (payment channel §8.11). */
  | 'payment-wrong-network'
  /** Mode message while serving: the normal end of a sale. */
  | 'buyer-finished'
  /** The channel reached kCap. */
  | 'channel-exhausted'
  /** The content of a promised piece could not be read or did not match its hash. */
  | 'content-unreadable'
  // Buyer (state machine §4).
  /** Mode message from a seller after it joined. */
  | 'seller-interrupted'
  /** A speed test payload of another size than asked for. */
  | 'speed-test-size-mismatch'
  /** More pieces than requests. */
  | 'piece-overflow'
  /** A piece that failed its hash. */
  | 'piece-invalid'
  /** The buyer's own download ended and the connection with it. */
  | 'download-finished'
  // Both.
  /** The host asked for it; its reason travels beside the code. */
  | 'local';

/** Causes that count against the peer's score. Races and other chains never do (hazards H15, H35). */
const PENALISED: ReadonlySet<CloseCode> = new Set<CloseCode>([
  'speed-test-repeated',
  'speed-test-too-large',
  'piece-index-invalid',
  'payment-overflow',
  'payment-beyond-cap',
  'payment-encoding-invalid',
  'payment-scalar-out-of-range',
  'payment-high-s',
  'payment-signature-invalid',
  'piece-overflow',
  'piece-invalid',
]);

/** Whether a close for this cause should lower the peer's score (state machine §7, column "ban"). */
export function isPenalised(code: CloseCode): boolean {
  return PENALISED.has(code);
}

/** Why the host ends a channel or a connection of its own accord. */
export type HostReason =
  /** The settlement margin before the lock's end has been reached. */
  | 'deadline'
  /** An operator stopped it. */
  | 'operator'
  /** The process is draining. */
  | 'shutdown'
  /** The torrent was withdrawn. */
  | 'takedown'
  /** A conflicting spend of the funding transaction or its inputs was seen. */
  | 'conflict'
  /** Window full and unpaid for too long. */
  | 'unpaid-timeout'
  /** No request for too long. */
  | 'idle-timeout'
  /** `ready` or its transaction did not come in time, or the quote went stale. */
  | 'stale-quote'
  /** Stored payments were not acknowledged for too long. */
  | 'storage-timeout'
  /** The peer takes nothing of what waits for it. */
  | 'peer-not-reading'
  /** A limit on exposure or capacity was reached. */
  | 'capacity'
  /** A seller served nothing for too long. */
  | 'seller-timeout';

/** Why a channel ended. */
export type ChannelEndReason =
  | CloseCode
  | HostReason
  /** The peer uninstalled the extension or lost its mapping. */
  | 'peer-uninstalled'
  /** We uninstalled the extension. */
  | 'local-uninstalled'
  /** We left sell mode. */
  | 'mode-changed'
  /** The transport closed. */
  | 'disconnected';

/** Why an invitation or a join came to nothing before it was funded. */
export type JoinLapseReason =
  | ChannelEndReason
  /** The peer sent a mode message. */
  | 'peer-mode-message'
  /** Our own terms were revised. */
  | 'terms-revised';

/** Things worth counting that change nothing. */
export type NoteCode =
  /** A message that means nothing in the present state; dropped. */
  | 'message-ignored'
  /** `join_contract` for another index than the current one; dropped. */
  | 'invitation-outdated'
  /** `join_contract` from a peer whose last `buy` does not fit our terms; dropped. */
  | 'invitation-unfit'
  /** `speedTestRequest` from a peer whose last `buy` does not fit our terms; dropped (H32). */
  | 'speed-test-unfit'
  /** A request past the payments that the funding can carry; dropped. */
  | 'request-beyond-cap'
  /** Bytes after the last field of a message; ignored (H38). */
  | 'trailing-bytes'
  /** A repeated full mapping on an installed connection; the newer one counts (H2). */
  | 'handshake-repeated'
  /** All eleven ids zero from a peer that had announced none; ignored (wire protocol §3). */
  | 'uninstall-without-mapping'
  /** A later handshake without the version key; ignored (H2). */
  | 'handshake-without-version'
  /** The peer's mapping is incomplete, mixed, negative, repeated or out of range: plain peer (H37). */
  | MappingErrorCode
  /** The extended handshake was no dictionary; ignored. */
  | HandshakeErrorCode
  /** A frame under the peer's own number instead of ours, or under a stock extension's; dropped (H1). */
  | 'foreign-id'
  /** A frame that crossed our uninstall; dropped. */
  | 'after-uninstall'
  /** A host event that no longer applies, such as an answer to a lapsed question; dropped. */
  | 'event-stale';
