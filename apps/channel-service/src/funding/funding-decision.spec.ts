import { policyWith } from '@seedfleet/policy';
import { describe, expect, it } from 'vitest';
import type { ChainOutput } from '../chain/chain-client.js';
import type { ChainReport } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { channelParameters } from '../channels/parameters.js';
import { exampleRow } from '../testing/rows.js';
import { decideFunding, type Neighbours } from './funding-decision.js';

type FoundOutput = Extract<ChainOutput, { found: true }>;

const HASH = 'cd'.repeat(32);
const MTP = 1_800_000_000;

const MEMPOOL: FoundOutput = {
  found: true,
  raw: new Uint8Array(),
  confirmations: 0,
  height: null,
  blockHash: null,
  fundingMtp: null,
  ageSeconds: 5,
  spentBy: null,
  mempool: { feeSat: 500n, virtualBytes: 250, ancestors: 0, replaceable: false },
  conflict: null,
};

const MINED: FoundOutput = {
  ...MEMPOOL,
  confirmations: 1,
  height: 200,
  blockHash: HASH,
  fundingMtp: MTP - 600,
  mempool: null,
};

const REPORT: ChainReport = {
  tip: { height: 200, hash: HASH, medianTimePast: MTP },
  feeRates: {
    threeBlocksSatPerKvb: 1_000n,
    sixBlocksSatPerKvb: 1_000n,
    sixBlocksDayMedianSatPerKvb: 1_000n,
    sixBlocksDayQuarterSatPerKvb: 1_000n,
    mempoolMinimumSatPerKvb: 1_000n,
    relayMinimumSatPerKvb: 1_000n,
  },
  observedAt: MTP,
};

const ALONE: Neighbours = {
  exposure: {
    subnetDayBytes: 0,
    subnetTorrentPieces: 0,
    nodeBytes: 0,
    fleetBytes: 0,
    subnetAbandonedDay: 0,
    isLocal: false,
  },
  belowMinOfSubnetAndTorrent: 0,
};

function decide(
  output: FoundOutput,
  change: { row?: Partial<ChannelRow>; neighbours?: Neighbours; waitedMs?: number } = {},
) {
  const row = exampleRow(change.row);
  const channel = channelParameters(row, 'regtest');
  if (channel === null) throw new Error('the example is funded');
  return decideFunding(row, output, {
    channel,
    network: 'regtest',
    policy: policyWith(),
    report: REPORT,
    neighbours: change.neighbours ?? ALONE,
    waitedMs: change.waitedMs ?? 5_000,
  });
}

describe('the verdict on a funding output', () => {
  it('serves everything at the confirmations its value needs, until the deadline', () => {
    // F = 450 is above the estimate, and the sale is small: the margin is 5,400 s before 20 · 512 s have passed.
    expect(decide(MINED)).toEqual({ kind: 'all', deadlineMtp: MTP - 600 + 20 * 512 - 5_400 });
  });

  it('serves a small allowance while unconfirmed', () => {
    expect(decide(MEMPOOL)).toEqual({ kind: 'allowance', bytes: 19 * 131_072, deadlineMtp: null });
  });

  it('serves only the allowance where the value needs more confirmations', () => {
    const row = { fundingValueSat: 300_000n, kCap: 42_779n };
    expect(decide(MINED, { row })).toMatchObject({ kind: 'allowance' });
    expect(decide({ ...MINED, confirmations: 2 }, { row })).toMatchObject({ kind: 'all' });
  });

  it.each([
    ['its fee is below our terms', { mempool: { ...MEMPOOL.mempool, feeSat: 100n } }, 'fee-rate-below-terms'],
    ['it says that it may be replaced', { mempool: { ...MEMPOOL.mempool, replaceable: true } }, 'replaceable'],
    ['a rival was seen, long ago', { conflict: { txid: HASH, height: null, sinceMs: 3_600_000 } }, 'conflict-seen'],
    ['an ancestor is unconfirmed', { mempool: { ...MEMPOOL.mempool, ancestors: 1 } }, 'unconfirmed-ancestors'],
  ] as const)('waits for a confirmation where %s', (_, change, code) => {
    const output = { ...MEMPOOL, ...change } as FoundOutput;
    expect(decide(output)).toMatchObject({ kind: 'wait', code });
  });

  it('waits behind another channel of the subnet below kMin, except on this machine', () => {
    const neighbours = { ...ALONE, belowMinOfSubnetAndTorrent: 1 };
    expect(decide(MINED, { neighbours })).toMatchObject({ kind: 'wait', code: 'subnet-torrent-busy' });
    const local = { ...neighbours, exposure: { ...ALONE.exposure, isLocal: true } };
    expect(decide(MINED, { neighbours: local })).toMatchObject({ kind: 'all' });
  });

  it('waits when the subnet has used up its unconfirmed bytes', () => {
    const neighbours = { ...ALONE, exposure: { ...ALONE.exposure, subnetDayBytes: 64 * 1024 * 1024 } };
    expect(decide(MEMPOOL, { neighbours })).toMatchObject({ kind: 'wait', code: 'subnet-exhausted' });
  });

  it('refuses a spent output, in a block or in the mempool', () => {
    const spentBy = { txid: HASH, height: null, hash: null };
    expect(decide({ ...MINED, spentBy })).toMatchObject({ kind: 'refuse', code: 'funding-spent' });
  });

  it('refuses a funding mined so long ago that its deadline has passed', () => {
    const old = { ...MINED, fundingMtp: MTP - (20 * 512 - 5_400) };
    expect(decide(old)).toMatchObject({ kind: 'refuse', code: 'deadline-passed' });
    expect(decide({ ...old, fundingMtp: old.fundingMtp + 1 })).toMatchObject({ kind: 'all' });
  });

  it('gives up on a funding that stays unconfirmed for six hours', () => {
    expect(decide(MEMPOOL, { waitedMs: 6 * 3_600_000 + 1 })).toMatchObject({ code: 'unconfirmed-too-long' });
    expect(decide(MINED, { waitedMs: 6 * 3_600_000 + 1 })).toMatchObject({ kind: 'all' });
  });
});
