import type { Prisma } from '@seedfleet/persistence';

/** One write through the API: who did what to what. */
export interface AuditFact {
  /** `key:ID`, `node:ID`, or `service`. */
  readonly actor: string;
  /** A stable word, as `torrent.add`. */
  readonly action: string;
  /** What it was done to: an infohash, a key's id. */
  readonly target: string;
  /** Details; satoshi as decimal strings, never a secret. */
  readonly data?: Prisma.InputJsonObject;
}

/** The row of a fact, to be written in the transaction of the change it tells of. */
export function auditRow(fact: AuditFact): {
  actor: string;
  action: string;
  target: string;
  data: Prisma.InputJsonObject;
} {
  return { actor: fact.actor, action: fact.action, target: fact.target, data: fact.data ?? {} };
}
