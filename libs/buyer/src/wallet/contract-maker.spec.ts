import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BitcoinNode } from '@seedfleet/bitcoin-node';
import type { ChosenSeller } from '@seedfleet/exchange';
import { bestEcdsa, toHex } from '@seedfleet/payment-channel';
import type { Coin } from '@seedfleet/wallet';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { WalletCoins } from './coins.js';
import { FundingContracts } from './contract-maker.js';
import { ContractRecords } from './contract-records.js';
import { WalletKeys } from './keys.js';

let dir: string;
let keys: WalletKeys;
let contracts: FundingContracts;
/** Lets the coins of the attempts that wait arrive, oldest first. */
let coinsArrive: (() => void)[];
let sent: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'contract-'));
  keys = WalletKeys.open(dir, 'regtest', 'regtest');
  coinsArrive = [];
  sent = [];
  const answer = <T>(value: T) => Promise.resolve({ ok: true as const, value });
  const node = {
    mempoolInfo: () => answer({ minFeeSatPerKvb: 1_000n }),
    feeEstimate: () => answer(null),
    broadcast: (hex: string) => {
      sent.push(hex);
      return answer({ code: 'accepted', reason: '' });
    },
  } as unknown as BitcoinNode;
  const coin: Coin = {
    key: keys.receiveKey,
    kind: keys.account.kind,
    outpoint: { txid: new Uint8Array(32).fill(1), index: 0 },
    valueSat: 1_000_000n,
  };
  const coins = { atLeast: () => new Promise<Coin[]>((resolve) => coinsArrive.push(() => resolve([coin]))) };
  contracts = new FundingContracts({
    link: { node, rpc: { url: '' }, channelNetwork: 'regtest', walletNetwork: 'regtest' },
    keys,
    coins: coins as unknown as WalletCoins,
    records: new ContractRecords(dir),
    ecdsa: bestEcdsa(),
    reporter: { report: () => undefined },
    infoHash: '00'.repeat(20),
    pieceLengthBytes: 16_384,
    maxFeePerKbSat: 10_000n,
    budgetSat: undefined,
    maxTotalSat: undefined,
    maxLockedSat: undefined,
    approve: undefined,
  });
});

afterEach(() => {
  keys.close();
  rmSync(dir, { recursive: true });
});

function prepare(connection: number) {
  const terms = { minPrice: 100n, minLock: 10, maxSellers: 5, minContractFeePerKb: 0n, settlementFee: 0n };
  const { publicKey } = keys.channel(1_000 + connection).contract;
  const seller: ChosenSeller = {
    connection,
    terms,
    sellerPublicKey: publicKey,
    sellerKeyHash: new Uint8Array(20),
    latencyMs: undefined,
  };
  return contracts.prepare({
    sellers: [seller],
    feeSatPerKb: 1_000n,
    missing: 10,
    paidSat: 0n,
    nameOf: (id) => `seller ${id}`,
  });
}

const nextCoins = async (): Promise<void> => {
  await expect.poll(() => coinsArrive.length, { interval: 1 }).toBeGreaterThan(0);
  coinsArrive.shift()?.();
};

it('drops an abandoned attempt that finishes after the next one began', async () => {
  const first = prepare(1);
  const refused = expect(first).rejects.toMatchObject({ code: 'attempt-abandoned' });
  await expect.poll(() => coinsArrive.length, { interval: 1 }).toBe(1);
  contracts.abandon();
  const second = prepare(2);
  await nextCoins();
  await refused;
  await expect(contracts.broadcast()).rejects.toThrow('no contract is prepared');
  await nextCoins();
  const [funding] = await second;
  await contracts.store([]);
  await contracts.broadcast();
  expect(sent).toHaveLength(1);
  expect(contracts.fundingTxid).toBe(funding && toHex(funding.outpoint.txid));
});

it('has nothing to broadcast once the prepared contract is abandoned', async () => {
  const prepared = prepare(1);
  await nextCoins();
  await prepared;
  contracts.abandon();
  await expect(contracts.broadcast()).rejects.toThrow('no contract is prepared');
  expect(sent).toEqual([]);
});
