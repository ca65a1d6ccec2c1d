import { fundingVerdict } from '@seedfleet/bus';
import type { z } from 'zod';
import type { ChannelRow } from '../channels/channel-row.js';
import type { FundingVerdict } from '../channels/transition.js';
import type { FundingDecision } from './funding-decision.js';

type Told = Omit<FundingVerdict, 'channelId' | 'version'>;

const MAX_DETAIL = 300;

function limits(row: ChannelRow): Pick<Told, 'kMin' | 'kCap'> {
  return { kMin: Number(row.kMin ?? 0n), kCap: Number(row.kCap ?? 0n) };
}

export function waitVerdict(row: ChannelRow, code: string, detail: string, deadlineMtp: number | null = null): Told {
  return { ...limits(row), kind: 'wait', allowanceBytes: 0, code, detail: detail.slice(0, MAX_DETAIL), deadlineMtp };
}

export function refuseVerdict(row: ChannelRow, code: string, detail: string): Told {
  const { deadlineMtp } = row;
  return { ...limits(row), kind: 'refuse', allowanceBytes: 0, code, detail: detail.slice(0, MAX_DETAIL), deadlineMtp };
}

/** A decision as the node is told it. */
export function verdictOf(row: ChannelRow, decision: FundingDecision): Told {
  switch (decision.kind) {
    case 'refuse':
      return refuseVerdict(row, decision.code, decision.detail);
    case 'wait':
      return waitVerdict(row, decision.code, decision.detail, decision.deadlineMtp);
    case 'allowance':
      return {
        ...limits(row),
        kind: 'allowance',
        allowanceBytes: decision.bytes,
        code: 'unconfirmed',
        detail: '',
        deadlineMtp: decision.deadlineMtp,
      };
    case 'all':
      return {
        ...limits(row),
        kind: 'all',
        allowanceBytes: 0,
        code: 'funded',
        detail: '',
        deadlineMtp: decision.deadlineMtp,
      };
  }
}

/** The verdict stored with a channel, or what follows from its state where none was ever given. */
export function storedVerdict(row: ChannelRow): FundingVerdict {
  const parsed = fundingVerdict.safeDecode(row.verdict as z.input<typeof fundingVerdict>);
  const isOpen = row.state === 'joined' || row.state === 'funding-seen' || row.state === 'funded';
  if (parsed.success && (isOpen || parsed.data.kind === 'refuse')) return parsed.data;
  const told = isOpen ? waitVerdict(row, 'funding-unseen', '') : refuseVerdict(row, 'channel-closed', row.stateReason);
  return { ...told, channelId: row.id, version: row.version };
}

/** Whether two verdicts let the node do the same. */
export function isSameVerdict(a: Told, b: Told): boolean {
  return (
    a.kind === b.kind &&
    a.code === b.code &&
    a.allowanceBytes === b.allowanceBytes &&
    a.deadlineMtp === b.deadlineMtp &&
    a.kCap === b.kCap
  );
}
