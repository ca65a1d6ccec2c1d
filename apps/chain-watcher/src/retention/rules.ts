import { keptSince, sentMessages, type RetentionRule } from '@seedfleet/persistence';
import { KEPT, REMEMBERED_BLOCKS } from '../defaults.js';

/**
 * What chain-watcher removes of its schema; blocks go with each new one. An output or transaction goes when its story has
 * ended below the deepest reorganisation that is followed: an unspent output never, nor what is still being sent.
 */
export const CHAIN_RULES: readonly RetentionRule[] = [
  sentMessages('chain', KEPT.outboxMs),
  {
    name: 'unseen_output',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM chain.watched_output WHERE (txid, vout) IN (
        SELECT txid, vout FROM chain.watched_output
        WHERE state = 'unseen' AND "updatedAt" < ${keptSince(KEPT.unseenOutputsMs)} LIMIT ${limit})`,
  },
  {
    name: 'spent_output',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM chain.watched_output WHERE (txid, vout) IN (
        SELECT txid, vout FROM chain.watched_output
        WHERE state = 'spent-confirmed' AND "updatedAt" < ${keptSince(KEPT.recordsMs)}
          AND "spendHeight" <= (SELECT max(height) FROM chain.block) - ${REMEMBERED_BLOCKS}::int
        ORDER BY "updatedAt" LIMIT ${limit})`,
  },
  {
    name: 'broadcast',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM chain.broadcast WHERE txid IN (
        SELECT txid FROM chain.broadcast
        WHERE state IN ('buried', 'overtaken', 'withdrawn') AND "updatedAt" < ${keptSince(KEPT.recordsMs)}
          AND coalesce("confirmedHeight", "rivalHeight", 0) <= (SELECT max(height) FROM chain.block) - ${REMEMBERED_BLOCKS}::int
        ORDER BY "updatedAt" LIMIT ${limit})`,
  },
];
