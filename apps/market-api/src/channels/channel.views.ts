import { netSat, paidSat } from '@seedfleet/payment-channel';
import type { ChannelEventRow, ChannelRow } from './channel.repository.js';
import type { ChannelDetail, ChannelView } from './channel.schemas.js';

/** How channels look in answers. */

export function channelView(row: ChannelRow): ChannelView {
  const k = Number(row.frozenK ?? row.k);
  const { fundingTxid, fundingVout, fundingValueSat, settlementTxid } = row;
  return {
    id: row.id,
    nodeId: row.nodeId,
    infoHash: row.infoHash,
    torrentName: row.torrentName,
    state: row.state,
    stateReason: row.stateReason,
    stateEnteredAt: row.stateEnteredAt.toISOString(),
    nextActionAt: row.nextActionAt?.toISOString() ?? null,
    deadlineAt: row.deadlineMtp === null ? null : new Date(row.deadlineMtp * 1_000).toISOString(),
    terms: {
      priceSat: row.priceSat.toString(),
      lockUnits: row.lockUnits,
      settlementFeeSat: row.settlementFeeSat.toString(),
      minContractFeePerKbSat: row.minContractFeePerKbSat.toString(),
    },
    pieceCount: row.pieceCount,
    pieceLengthBytes: row.pieceLength,
    peer: { address: row.peerAddress, client: row.peerClient },
    funding:
      fundingTxid === null || fundingVout === null
        ? null
        : {
            txid: fundingTxid,
            vout: fundingVout,
            valueSat: (fundingValueSat ?? 0n).toString(),
            confirmations: row.fundingConfirmations,
          },
    k,
    kMin: row.kMin === null ? null : Number(row.kMin),
    kCap: row.kCap === null ? null : Number(row.kCap),
    paidSat: paidSat(k, row.priceSat).toString(),
    netSat: netSat(k, row.priceSat, row.settlementFeeSat).toString(),
    closeReason: row.closeReason,
    settlement:
      settlementTxid === null
        ? null
        : { txid: settlementTxid, height: row.settlementHeight, confirmations: row.settlementConfirmations },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

export function channelDetail(row: ChannelRow, story: readonly ChannelEventRow[]): ChannelDetail {
  return { ...channelView(row), story: story.map((event) => ({ ...event, at: event.at.toISOString() })) };
}
