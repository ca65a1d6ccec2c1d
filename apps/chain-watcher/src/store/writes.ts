import type { Prisma } from '@seedfleet/persistence';
import type { BroadcastLife } from '../broadcasting/broadcast-life.js';
import { outputState, type OutputLife } from '../watching/output-life.js';
import { broadcastEvent, outputEvent } from './events.js';
import type { StoredBroadcast } from './broadcast-rows.js';
import type { StoredOutput } from './output-rows.js';

/** Writes of rows together with the event that tells of them, each in one statement (outbox). */

/** Either the client or a transaction of it. */
export type Database = Pick<Prisma.TransactionClient, '$executeRaw' | '$queryRaw'>;

/**
 * Moves an output to its next life and tells of it, unless another writer was first. Returns the row as written,
 * undefined if it had moved on.
 */
export async function moveOutput(
  database: Database,
  output: StoredOutput,
  life: OutputLife,
  tipHeight: number,
): Promise<StoredOutput | undefined> {
  const next: StoredOutput = { ...output, life, version: output.version + 1 };
  const inBlock = life.funding.kind === 'block' ? life.funding : null;
  const event = outputEvent(next, tipHeight);
  const written = await database.$executeRaw`
    WITH moved AS (
      UPDATE chain.watched_output
      SET state = ${outputState(life)}, version = ${next.version}, "updatedAt" = now(),
          "fundingHeight" = ${inBlock?.height ?? null}, "fundingHash" = ${inBlock?.hash ?? null},
          "fundingMtp" = ${inBlock?.mtp ?? null},
          "spendTxid" = ${life.spend?.txid ?? null}, "spendHeight" = ${life.spend?.height ?? null},
          "spendHash" = ${life.spend?.hash ?? null}, inputs = ${[...next.inputs]}::text[],
          "conflictTxid" = ${life.conflict?.txid ?? null}, "conflictHeight" = ${life.conflict?.height ?? null},
          "conflictHash" = ${life.conflict?.hash ?? null},
          "conflictSeenAt" = CASE WHEN ${life.conflict !== null} THEN now() END
      WHERE txid = ${output.txid} AND vout = ${output.vout} AND version = ${output.version}
      RETURNING 1
    )
    INSERT INTO chain.outbox (subject, payload) SELECT ${event.subject}, ${event.payload}::jsonb FROM moved`;
  return written === 1 ? next : undefined;
}

/** Takes an output into the watch; false if it was watched already. No event: nothing has happened to it yet. */
export async function insertOutput(
  database: Database,
  output: { readonly txid: string; readonly vout: number; readonly script: Uint8Array; readonly label: string },
): Promise<boolean> {
  const written = await database.$executeRaw`
    INSERT INTO chain.watched_output (txid, vout, script, label)
    VALUES (${output.txid}, ${output.vout}, ${output.script}, ${output.label})
    ON CONFLICT (txid, vout) DO NOTHING`;
  return written === 1;
}

/** Stores a transaction before it is sent for the first time, and tells of it; false if it was stored already. */
export async function insertBroadcast(database: Database, broadcast: StoredBroadcast): Promise<boolean> {
  const event = broadcastEvent(broadcast);
  const written = await database.$executeRaw`
    WITH stored AS (
      INSERT INTO chain.broadcast (txid, raw, label, "parentTxid", version)
      VALUES (${broadcast.txid}, ${broadcast.raw}, ${broadcast.label}, ${broadcast.parentTxid}, ${broadcast.version})
      ON CONFLICT (txid) DO NOTHING
      RETURNING 1
    )
    INSERT INTO chain.outbox (subject, payload) SELECT ${event.subject}, ${event.payload}::jsonb FROM stored`;
  return written === 1;
}

/**
 * Moves a broadcast to its next life. Tells of it, with a higher version, if readers would see a difference; a mere
 * further attempt is bookkeeping. Returns the row as written, undefined if another writer was first.
 */
export async function moveBroadcast(
  database: Database,
  broadcast: StoredBroadcast,
  life: BroadcastLife,
): Promise<StoredBroadcast | undefined> {
  const news = isNews(broadcast.life, life);
  const next: StoredBroadcast = { ...broadcast, life, version: broadcast.version + (news ? 1 : 0) };
  const event = broadcastEvent(next);
  const nextAttemptAt = life.nextAttemptMs === null ? null : new Date(life.nextAttemptMs);
  const rows = await database.$queryRaw<{ moved: number }[]>`
    WITH moved AS (
      UPDATE chain.broadcast
      SET state = ${life.state}, "rejectReason" = ${life.reason}, attempts = ${life.attempts},
          "confirmedHeight" = ${life.inclusion?.height ?? null}, "confirmedHash" = ${life.inclusion?.hash ?? null},
          "rivalTxid" = ${life.rival?.txid ?? null}, "rivalHeight" = ${life.rival?.height ?? null},
          "rivalHash" = ${life.rival?.hash ?? null}, confirmations = ${life.confirmations}, version = ${next.version}, "nextAttemptAt" = ${nextAttemptAt},
          "updatedAt" = now()
      WHERE txid = ${broadcast.txid} AND version = ${broadcast.version}
      RETURNING 1
    ), told AS (
      INSERT INTO chain.outbox (subject, payload)
      SELECT ${event.subject}, ${event.payload}::jsonb FROM moved WHERE ${news}::boolean
    )
    SELECT count(*)::int AS moved FROM moved`;
  return rows[0]?.moved === 1 ? next : undefined;
}

function isNews(before: BroadcastLife, after: BroadcastLife): boolean {
  return (
    before.state !== after.state ||
    before.code !== after.code ||
    before.reason !== after.reason ||
    before.confirmations !== after.confirmations ||
    before.inclusion?.hash !== after.inclusion?.hash
  );
}
