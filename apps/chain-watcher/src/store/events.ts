import { chainBroadcastChanged, chainOutputChanged } from '@seedfleet/bus';
import type { z } from 'zod';
import { confirmations, outputState } from '../watching/output-life.js';
import type { StoredBroadcast } from './broadcast-rows.js';
import type { StoredOutput } from './output-rows.js';

/** What the outbox carries: encoded by the bus contracts when written, so that the relay need not understand it. */
export interface OutboxEvent {
  readonly subject: string;
  /** JSON text. */
  readonly payload: string;
}

const MAX_REASON = 500;

export function outputEvent(output: StoredOutput, tipHeight: number): OutboxEvent {
  const { txid, vout, label, version, life } = output;
  const inBlock = life.funding.kind === 'block' ? life.funding : null;
  const payload = chainOutputChanged.payload.encode({
    txid,
    vout,
    label,
    version,
    state: outputState(life),
    fundingHeight: inBlock?.height ?? null,
    fundingMtp: inBlock?.mtp ?? null,
    confirmations: confirmations(life, tipHeight),
    spend: life.spend,
    conflict: life.conflict,
  });
  return { subject: fill(chainOutputChanged.subject, `${txid}-${vout}`), payload: JSON.stringify(payload) };
}

/** The same facts as an event and as the answer to a question. */
export function broadcastReport({ txid, label, version, life }: StoredBroadcast) {
  return {
    txid,
    label,
    version,
    state: life.state,
    code: life.code,
    rejectReason: life.reason?.slice(0, MAX_REASON) ?? null,
    confirmations: life.confirmations,
    confirmedHeight: life.inclusion?.height ?? null,
  };
}

export function broadcastEvent(broadcast: StoredBroadcast): OutboxEvent {
  const payload = chainBroadcastChanged.payload.encode(broadcastReport(broadcast));
  return { subject: fill(chainBroadcastChanged.subject, broadcast.txid), payload: JSON.stringify(payload) };
}

/**
 * What a log tells of an event on its way. Undefined of one more block on what has been told: a transaction's burial is an
 * event of its own.
 */
export function lineOf(subject: string, payload: unknown): Readonly<Record<string, unknown>> | undefined {
  const output =
    isOf(chainOutputChanged.subject, subject) && chainOutputChanged.payload.safeDecode(payload as OutputJson);
  if (output && output.success) {
    const { label, txid, vout, state, confirmations: depth, fundingHeight, spend } = output.data;
    const tipHeight = (fundingHeight ?? 0) + depth - 1;
    const newestHeight = spend === null ? fundingHeight : spend.height;
    return newestHeight !== null && newestHeight < tipHeight ? undefined : { label, txid, vout, state };
  }
  const broadcast = isOf(chainBroadcastChanged.subject, subject) && chainBroadcastChanged.payload.safeParse(payload);
  if (!broadcast || !broadcast.success) return undefined;
  const { label, txid, state, code, confirmations: depth } = broadcast.data;
  return state === 'confirmed' && depth > 1 ? undefined : { label, txid, state, code };
}

type OutputJson = z.input<typeof chainOutputChanged.payload>;
const isOf = (pattern: string, subject: string): boolean => subject.startsWith(pattern.slice(0, pattern.indexOf('*')));

const fill = (subject: string, key: string): string => subject.replace('*', key);
