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
const FUNDED_AT_SEC = 1_700_000_000;

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'refund-'))));
afterEach(() => rmSync(dir, { recursive: true }));

const answer = <T>(value: T) => Promise.resolve({ ok: true as const, value });

/** A node where every deposit has matured, and that answers the broadcasts with these codes in turn. */
function nodeAnswering(codes: string[]): BitcoinNode {
  const header = { previousHash: 'aa', medianTimeSec: FUNDED_AT_SEC };
  const node = {
    unspentOutput: () => answer({ confirmations: 9 }),
    transaction: () => answer({ place: { kind: 'block', block: { hash: 'bb' } } }),
    header: (hash: string) =>
      answer(hash === 'tip' ? { ...header, medianTimeSec: FUNDED_AT_SEC + 10 * 512 * LOCK_UNITS } : header),
    tip: () => answer({ hash: 'tip' }),
    feeEstimate: () => answer(null),
    broadcast: () => answer({ code: codes.shift(), reason: 'as scripted' }),
  };
  return node as unknown as BitcoinNode;
}

function contractOf(keys: WalletKeys, name: string, outputs: number): ContractRecord {
  const publicKey = toHex(keys.channel(0).contract.publicKey);
  return {
    version: 1,
    txid: name.repeat(32),
    raw: '00',
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
  const run = new Refunds(link, keys, records, { report: (event) => events.push(event) }).run();
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
