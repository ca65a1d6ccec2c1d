/**
 * What channels have earned, by what has become of it. Pure: groups of channels in, figures out. Satoshi.
 *
 * Gross is Σ k·P over all payments that were verified. A channel pays its seller k·P − F, and only where
 * k·P > 546 + F (payment channel specification §7). Every satoshi of gross is in exactly one of the other figures:
 *
 *   gross = uncollectable + collectable + expectedFees + broadcast + settled + collected + fees + atRisk + lost
 */
export interface RevenueFigures {
  /** Channels in which at least one piece was paid. */
  readonly sales: number;
  readonly piecesPaid: bigint;
  /** Σ k·P. */
  readonly revenueSat: bigint;
  /** Of running channels that have not yet reached the first payment that can be collected. */
  readonly uncollectableSat: bigint;
  /** k·P − F of running channels: what they would pay if they were settled now. */
  readonly collectableSat: bigint;
  /** F of the same channels. */
  readonly expectedFeesSat: bigint;
  /** k·P − F of settlements sent and not yet mined. */
  readonly broadcastSat: bigint;
  /** k·P − F of settlements mined and not yet buried. */
  readonly settledSat: bigint;
  /** k·P − F of buried settlements: final. */
  readonly collectedSat: bigint;
  /** F of settlements sent, mined or buried. */
  readonly feesSat: bigint;
  /** k·P of channels in trouble: settlement refused by the node, funding vanished, a refund in the mempool. */
  readonly atRiskSat: bigint;
  /** k·P that will never arrive: ended below the first collectable payment, refunded, or never funded. */
  readonly lostSat: bigint;
}

/** Channels of one torrent in one state, summed by the database. */
export interface ChannelGroup {
  readonly state: string;
  /** Whether k·P > 546 + F. */
  readonly collectable: boolean;
  readonly sales: number;
  readonly pieces: bigint;
  /** Σ k·P. */
  readonly grossSat: bigint;
  /** Σ F. */
  readonly settlementFeesSat: bigint;
}

/** What has become of a channel's payments. */
type Fate = 'running' | 'broadcast' | 'settled' | 'collected' | 'at-risk' | 'lost';

const FATES: Readonly<Record<string, Fate>> = {
  offered: 'running',
  joined: 'running',
  'funding-seen': 'running',
  funded: 'running',
  closing: 'running',
  settling: 'broadcast',
  settled: 'settled',
  buried: 'collected',
  'funding-missing': 'at-risk',
  'settle-rejected': 'at-risk',
  'refund-seen': 'at-risk',
  returned: 'lost',
  'nothing-owed': 'lost',
  'join-expired': 'lost',
  refused: 'lost',
  lost: 'lost',
};

export const NO_REVENUE: RevenueFigures = {
  sales: 0,
  piecesPaid: 0n,
  revenueSat: 0n,
  uncollectableSat: 0n,
  collectableSat: 0n,
  expectedFeesSat: 0n,
  broadcastSat: 0n,
  settledSat: 0n,
  collectedSat: 0n,
  feesSat: 0n,
  atRiskSat: 0n,
  lostSat: 0n,
};

/** The figures of one group. A state this service does not know counts as at risk, so that somebody looks. */
export function figuresOf(group: ChannelGroup): RevenueFigures {
  const { sales, pieces, grossSat, settlementFeesSat } = group;
  const whole = { ...NO_REVENUE, sales, piecesPaid: pieces, revenueSat: grossSat };
  const netSat = grossSat - settlementFeesSat;
  const fate = FATES[group.state] ?? 'at-risk';
  if (fate === 'at-risk') return { ...whole, atRiskSat: grossSat };
  if (fate === 'lost') return { ...whole, lostSat: grossSat };
  if (!group.collectable) {
    // Below the first collectable payment a settlement has no seller output: all of k·P goes to the miners.
    return fate === 'running' ? { ...whole, uncollectableSat: grossSat } : { ...whole, lostSat: grossSat };
  }
  switch (fate) {
    case 'running':
      return { ...whole, collectableSat: netSat, expectedFeesSat: settlementFeesSat };
    case 'broadcast':
      return { ...whole, broadcastSat: netSat, feesSat: settlementFeesSat };
    case 'settled':
      return { ...whole, settledSat: netSat, feesSat: settlementFeesSat };
    case 'collected':
      return { ...whole, collectedSat: netSat, feesSat: settlementFeesSat };
  }
}

export function addFigures(a: RevenueFigures, b: RevenueFigures): RevenueFigures {
  return {
    sales: a.sales + b.sales,
    piecesPaid: a.piecesPaid + b.piecesPaid,
    revenueSat: a.revenueSat + b.revenueSat,
    uncollectableSat: a.uncollectableSat + b.uncollectableSat,
    collectableSat: a.collectableSat + b.collectableSat,
    expectedFeesSat: a.expectedFeesSat + b.expectedFeesSat,
    broadcastSat: a.broadcastSat + b.broadcastSat,
    settledSat: a.settledSat + b.settledSat,
    collectedSat: a.collectedSat + b.collectedSat,
    feesSat: a.feesSat + b.feesSat,
    atRiskSat: a.atRiskSat + b.atRiskSat,
    lostSat: a.lostSat + b.lostSat,
  };
}

export const sumFigures = (groups: readonly ChannelGroup[]): RevenueFigures =>
  groups.map(figuresOf).reduce(addFigures, NO_REVENUE);
