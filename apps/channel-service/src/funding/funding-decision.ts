import { deadlineMtp } from '@seedfleet/channel-lifecycle';
import {
  checkFundingOutput,
  isCollectable,
  netSat,
  type ChannelParameters,
  type FundingOutputError,
  type Network,
} from '@seedfleet/payment-channel';
import {
  isOneTooManyBelowMin,
  marginWithinLock,
  servingVerdict,
  settlementMarginSeconds,
  type ExposureInUse,
  type Policy,
  type WaitReason,
} from '@seedfleet/policy';
import type { ChainOutput } from '../chain/chain-client.js';
import { feeEstimates, type ChainReport } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';

/** Why a funding is refused for good. */
export type FundingRefusal =
  | FundingOutputError['code']
  /** Our node has not seen the transaction in time. */
  | 'funding-not-seen'
  /** The transaction was seen, and is gone: replaced, or out of a block that is no longer in the chain. */
  | 'funding-vanished'
  /** A block holds another transaction that spends an input of it. */
  | 'funding-double-spent'
  /** The output is spent, in a block or in the mempool. */
  | 'funding-spent'
  /** Another channel holds this output. */
  | 'outpoint-taken'
  /** Confirmed so long ago that there is no time left to serve and settle. */
  | 'deadline-passed'
  /** Still unconfirmed after hours: its lock never starts, and it can be replaced any time. */
  | 'unconfirmed-too-long';

/** Why nothing, or not everything, may be served yet. */
export type FundingWait =
  | WaitReason
  /** Our node does not know the transaction yet. */
  | 'funding-unseen'
  /** Another transaction that spends an input of it has taken its place; which of the two is mined is open. */
  | 'funding-conflict'
  /** chain-watcher does not answer, or its report is too old. */
  | 'chain-unreachable'
  /** Another channel of this subnet sells the same torrent and has not reached kMin. */
  | 'subnet-torrent-busy';

/** How a channel stands after a look at its funding output. */
export type FundingDecision =
  | { readonly kind: 'refuse'; readonly code: FundingRefusal; readonly detail: string }
  | {
      readonly kind: 'wait';
      readonly code: FundingWait;
      readonly detail: string;
      readonly deadlineMtp: number | null;
    }
  | { readonly kind: 'allowance'; readonly bytes: number; readonly deadlineMtp: number | null }
  | { readonly kind: 'all'; readonly deadlineMtp: number };

type FoundOutput = Extract<ChainOutput, { found: true }>;

/** What other channels hold, read under the lock that makes the decision and its reservation one step. */
export interface Neighbours {
  readonly exposure: ExposureInUse;
  /** Other funding transactions of this subnet and torrent that are being served below kMin. */
  readonly belowMinOfSubnetAndTorrent: number;
}

/**
 * Checks 3, 4, 5, 6 of the payment channel specification §8 on an output not yet claimed: it exists, is ours, holds
 * what `ready` said, and is unspent. Null when it may be claimed.
 */
export function checkUnclaimedOutput(output: FoundOutput, channel: ChannelParameters): FundingDecision | null {
  const checked = checkFundingOutput(output.raw, channel);
  if (!checked.ok) return { kind: 'refuse', code: checked.error.code, detail: describe(checked.error, channel) };
  return output.spentBy === null ? null : spent(output.spentBy.txid);
}

/** Checks 6, 8 and 9 on an output that is ours: unspent, deep enough for its value, and with time left to settle. */
export function decideFunding(
  row: ChannelRow,
  output: FoundOutput,
  context: {
    readonly channel: ChannelParameters;
    readonly network: Network;
    readonly policy: Policy;
    readonly report: ChainReport;
    readonly neighbours: Neighbours;
    /** Since `ready`, milliseconds. */
    readonly waitedMs: number;
  },
): FundingDecision {
  const { policy, report, neighbours, channel } = context;
  if (output.spentBy !== null) return spent(output.spentBy.txid);
  const deadline = deadlineOf(row, output.fundingMtp, report, policy);
  if (deadline !== null && report.tip.medianTimePast >= deadline) {
    const detail = `median time past ${report.tip.medianTimePast}, deadline ${deadline}`;
    return { kind: 'refuse', code: 'deadline-passed', detail };
  }
  if (output.confirmations === 0 && context.waitedMs > policy.timeouts.unconfirmedMs) {
    return { kind: 'refuse', code: 'unconfirmed-too-long', detail: `for ${Math.floor(context.waitedMs / 60_000)} min` };
  }
  const others = {
    belowMinOfSubnetAndTorrent: neighbours.belowMinOfSubnetAndTorrent,
    isLocal: neighbours.exposure.isLocal,
  };
  if (isOneTooManyBelowMin(others, policy)) {
    return { kind: 'wait', code: 'subnet-torrent-busy', detail: 'another channel comes first', deadlineMtp: deadline };
  }
  const verdict = servingVerdict(
    {
      network: context.network,
      valueSat: channel.fundingValueSat,
      confirmations: output.confirmations,
      seenForMs: output.ageSeconds * 1_000,
      unconfirmedAncestors: output.mempool?.ancestors ?? 0,
      signalsReplacement: output.mempool?.replaceable ?? false,
      ...(output.conflict === null ? {} : { sinceConflictMs: output.conflict.sinceMs }),
      feeRateSatPerKvb: feeRate(output),
      minContractFeePerKbSat: row.minContractFeePerKbSat,
      threeBlockSatPerKvb: higher(report.feeRates.threeBlocksSatPerKvb, report.feeRates.mempoolMinimumSatPerKvb),
    },
    { pieces: row.pieceCount, pieceLengthBytes: row.pieceLength, priceSat: row.priceSat },
    neighbours.exposure,
    policy,
  );
  if (verdict.serve === 'allowance') return { kind: 'allowance', bytes: verdict.bytes, deadlineMtp: deadline };
  if (verdict.serve === 'nothing') return { kind: 'wait', code: verdict.reason, detail: '', deadlineMtp: deadline };
  // Everything is served only with a deadline: without one nobody would know when to settle.
  if (deadline === null) {
    return {
      kind: 'wait',
      code: 'chain-unreachable',
      detail: 'the funding block has no time yet',
      deadlineMtp: deadline,
    };
  }
  return { kind: 'all', deadlineMtp: deadline };
}

/** When serving ends and settling starts: the maturing of the refund less the margin. Null while unconfirmed. */
export function deadlineOf(
  row: ChannelRow,
  fundingMtp: number | null,
  report: ChainReport,
  policy: Policy,
): number | null {
  if (fundingMtp === null) return null;
  const best = Number(row.kCap ?? 0n);
  const worth = {
    netSat: isCollectable(best, row.priceSat, row.settlementFeeSat)
      ? netSat(best, row.priceSat, row.settlementFeeSat)
      : 0n,
    settlementFeeSat: row.settlementFeeSat,
  };
  const wanted = settlementMarginSeconds(worth, feeEstimates(report), policy);
  const marginSeconds = marginWithinLock(wanted, row.lockUnits, policy);
  return deadlineMtp({ lockUnits: row.lockUnits, fundingPreviousMtp: fundingMtp }, marginSeconds) ?? null;
}

function spent(by: string): FundingDecision {
  return { kind: 'refuse', code: 'funding-spent', detail: `by ${by}` };
}

function feeRate(output: FoundOutput): bigint {
  if (output.mempool === null) return 0n;
  return (output.mempool.feeSat * 1_000n) / BigInt(output.mempool.virtualBytes);
}

function higher(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function describe(error: FundingOutputError, channel: ChannelParameters): string {
  switch (error.code) {
    case 'value-mismatch':
      return `holds ${error.valueSat} sat, announced were ${channel.fundingValueSat}`;
    case 'lock-mismatch':
      return `commits to a lock of ${error.lockUnits} units, agreed were ${channel.lockUnits}`;
    case 'no-such-output':
      return `the transaction has ${error.outputs} outputs`;
    default:
      return '';
  }
}
