import type { CloseReason, RefusalReason } from '@seedfleet/bittorrent';
import type { ChannelEndReason, JoinLapseReason } from '@seedfleet/exchange';
import type { Cost } from './source-scores.js';

/** What the ends of connections, joins and channels cost their source. What is not listed costs nothing. */

const REFUSALS: Partial<Record<RefusalReason, Cost>> = {
  'not-bittorrent': 'uselessHandshake',
  'unknown-torrent': 'uselessHandshake',
  'handshake-timeout': 'slowHandshake',
};

const CLOSES: Partial<Record<CloseReason, Cost>> = {
  'frame-too-large': 'brokenFrame',
  'frame-malformed': 'brokenFrame',
  'extended-too-large': 'brokenFrame',
  'protocol-violation': 'brokenFrame',
  'send-queue-full': 'unread',
};

/** Lapses and ends that are our doing, or nobody's: races, and buyers of another chain (hazards H15, H35). */
const BLAMELESS: ReadonlySet<JoinLapseReason> = new Set<JoinLapseReason>([
  'terms-revised',
  'stale-quote',
  'payment-wrong-network',
  'content-unreadable',
  'deadline',
  'operator',
  'shutdown',
  'takedown',
  'storage-timeout',
  'capacity',
  'local-uninstalled',
  'mode-changed',
]);

/** A connection ended before its handshake did. */
export const costOfRefusal = (reason: RefusalReason): Cost | undefined => REFUSALS[reason];

/** A connection ended after it. */
export const costOfClose = (reason: CloseReason): Cost | undefined => CLOSES[reason];

/** Whether a join that came to nothing, or what a channel left unpaid, is to be charged. */
export const isBlameless = (reason: JoinLapseReason | ChannelEndReason): boolean => BLAMELESS.has(reason);
