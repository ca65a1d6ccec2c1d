import { saleIdOf } from '@seedfleet/bus';
import { netSat, paidSat } from '@seedfleet/payment-channel';
import type { ChannelEventRow, ChannelRow } from './channel.repository.js';
import type { TransactionRow } from './channel-transactions.js';
import type { ChannelDetail, ChannelView } from './channel.schemas.js';
import { nextStep } from './next-step.js';

/** How channels look in answers. */

export function channelView(row: ChannelRow): ChannelView {
  const k = Number(row.settledK ?? row.frozenK ?? row.k);
  return {
    id: row.id,
    saleId: saleIdOf(row.id),
    nodeId: row.nodeId,
    infoHash: row.infoHash,
    torrentName: row.torrentName,
    state: row.state,
    stateReason: row.stateReason,
    stateEnteredAt: row.stateEnteredAt.toISOString(),
    nextActionAt: row.nextActionAt?.toISOString() ?? null,
    deadlineAt: row.deadlineMtp === null ? null : new Date(row.deadlineMtp * 1_000).toISOString(),
    priceSat: row.priceSat.toString(),
    lockUnits: row.lockUnits,
    settlementFeeSat: row.settlementFeeSat.toString(),
    minContractFeePerKbSat: row.minContractFeePerKbSat.toString(),
    pieceCount: row.pieceCount,
    pieceLengthBytes: row.pieceLength,
    peerAddress: row.peerAddress,
    peerClient: row.peerClient,
    fundingTxid: row.fundingTxid,
    fundingVout: row.fundingVout,
    fundingValueSat: row.fundingValueSat?.toString() ?? null,
    fundingConfirmations: row.fundingConfirmations,
    k,
    lastK: Number(row.frozenK ?? row.k),
    kMin: row.kMin === null ? null : Number(row.kMin),
    kCap: row.kCap === null ? null : Number(row.kCap),
    paidSat: paidSat(k, row.priceSat).toString(),
    netSat: netSat(k, row.priceSat, row.settlementFeeSat).toString(),
    closeReason: row.closeReason,
    settlementTxid: row.settlementTxid,
    settlementHeight: row.settlementHeight,
    settlementConfirmations: row.settlementConfirmations,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export function channelDetail(
  row: ChannelRow,
  story: readonly ChannelEventRow[],
  transactions: readonly TransactionRow[],
): ChannelDetail {
  const next = nextStep(row);
  return {
    ...channelView(row),
    story: story.map((event) => ({ ...event, at: event.at.toISOString() })),
    transactions: transactions.map(({ feeSat, madeAt, ...transaction }) => ({
      ...transaction,
      feeSat: feeSat?.toString() ?? null,
      madeAt: madeAt?.toISOString() ?? null,
    })),
    next: next === null ? null : { ...next, at: next.at?.toISOString() ?? null },
  };
}
