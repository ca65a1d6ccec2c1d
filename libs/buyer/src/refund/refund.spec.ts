import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BitcoinNode } from '@seedfleet/bitcoin-node';
import { toHex } from '@seedfleet/payment-channel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ReportEvent } from '../events.js';
import { ContractRecords, type ContractRecord } from '../wallet/contract-records.js';
import { WalletKeys } from '../wallet/keys.js';
import { Refunds } from './refund.js';

const LOCK_UNITS = 1;

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'refund-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const answer = <T>(value: T) => Promise.resolve({ ok: true as const, value });

/** A node that answers the broadcasts with these codes in turn. */
function nodeAnswering(codes: string[]): BitcoinNode {
  const node = {
    feeEstimate: () => answer(null),
    mempoolInfo: () => answer({ minFeeSatPerKvb: 1_000n }),
    broadcast: () => answer({ code: codes.shift(), reason: 'as scripted' }),
  };
  return node as unknown as BitcoinNode;
}

/** Every deposit has matured. */
const looker = { look: () => Promise.resolve({ kind: 'refundable' as const }) };

function contractOf(keys: WalletKeys, name: string, outputs: number): ContractRecord {
  const publicKey = toHex(keys.channel(0).contract.publicKey);
  return {
    version: 1,
    txid: name.repeat(32),
    raw: '00',
    feeSat: '0',
    network: 'regtest',
    infoHash: '00'.repeat(20),
    createdAt: new Date(0).toISOString(),
    state: 'broadcast',
    change: null,
    outputs: Array.from({ length: outputs }, (_, vout) => ({
      vout,
      valueSat: '50000',
      lockUnits: LOCK_UNITS,
      keyIndex: vout,
      buyerPublicKey: publicKey,
      sellerPublicKey: toHex(keys.channel(7).contract.publicKey),
      seller: 'seller',
      priceSat: '100',
      refunds: [],
      back: null,
      payments: 0,
      state: 'open' as const,
      refundTxid: null,
    })),
  };
}

it('goes on after a refused refund, keeps what it noted of the others, and fails at the end', async () => {
  const keys = WalletKeys.open(dir, 'regtest', 'regtest');
  const records = new ContractRecords(dir);
  records.save(contractOf(keys, '11', 2));
  records.save(contractOf(keys, '22', 1));
  const events: ReportEvent[] = [];
  const node = nodeAnswering(['accepted', 'below-min-fee', 'accepted']);
  const link = { node, rpc: { url: '' }, channelNetwork: 'regtest', walletNetwork: 'regtest' } as const;
  const run = new Refunds(link, keys, records, looker, { report: (event: ReportEvent) => events.push(event) }).run();
  await expect(run).rejects.toMatchObject({ exitCode: 1, code: 'refund-refused' });
  expect(events.map((event) => (event.event === 'refund' ? [event.state, event.code] : event)).sort()).toEqual([
    ['refunding', undefined],
    ['refunding', undefined],
    ['refused', 'below-min-fee'],
  ]);
  const noted = records.all().flatMap(({ outputs }) => outputs.map(({ refundTxid }) => refundTxid !== null));
  expect(noted.filter(Boolean)).toHaveLength(2);
  keys.close();
});

it('replaces a refund that waits at too low a rate, and sends one again that the mempool has forgotten', async () => {
  const keys = WalletKeys.open(dir, 'regtest', 'regtest');
  const records = new ContractRecords(dir);
  records.save(contractOf(keys, '11', 1));
  const sent: string[] = [];
  let estimate = 1_000n;
  const node = {
    feeEstimate: () => answer(estimate),
    mempoolInfo: () => answer({ minFeeSatPerKvb: 1_000n }),
    broadcast: (hex: string) => {
      sent.push(hex);
      return answer({ code: 'accepted', reason: '' });
    },
  } as unknown as BitcoinNode;
  const link = { node, rpc: { url: '' }, channelNetwork: 'regtest', walletNetwork: 'regtest' } as const;
  const round = (kind: 'refundable' | 'refunding') =>
    new Refunds(
      link,
      keys,
      records,
      { look: () => Promise.resolve(kind === 'refundable' ? { kind } : { kind, txid: '', backSat: 0n }) },
      { report: () => undefined },
    ).run();
  await round('refundable');
  await round('refunding');
  expect(sent).toHaveLength(1);
  await round('refundable');
  expect(sent[1]).toBe(sent[0]);
  estimate = 8_000n;
  await round('refunding');
  expect(sent).toHaveLength(3);
  const [attempts] = records.all().flatMap(({ outputs }) => outputs.map(({ refunds }) => refunds));
  expect(attempts?.map(({ ratePerKbSat }) => ratePerKbSat)).toEqual(['1000', '8000']);
  expect(BigInt(attempts![1]!.feeSat)).toBeGreaterThan(7n * BigInt(attempts![0]!.feeSat));
  // At this rate the fee would be more than what comes back.
  estimate = 200_000n;
  await round('refunding');
  expect(sent).toHaveLength(3);
  keys.close();
});
