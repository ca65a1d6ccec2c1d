import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nextSteps } from '../block-follower.js';
import { checkNetwork } from '../network.js';
import type { BitcoinNode, BlockRef } from '../node.js';
import { parseTransactionHex } from '../raw/transaction.js';
import type { RegtestControl } from '../regtest.js';
import { findConfirmedSpends } from '../spender-search.js';
import { must, Workbench } from './workbench.js';

const UNKNOWN = 'ab'.repeat(32);
const txidOf = (hex: string): string => parseTransactionHex(hex)?.txid ?? '';

/** What every adapter of `BitcoinNode` must do, shown on a regtest node with a funded wallet. */
export function complianceSuite(name: string, open: () => { node: BitcoinNode; control: RegtestControl }): void {
  describe(name, () => {
    let node: BitcoinNode;
    let control: RegtestControl;
    let bench: Workbench;

    beforeAll(async () => {
      ({ node, control } = open());
      bench = new Workbench(control);
      await must(control.ensureWallet());
      await must(control.ensureCoins(50_00000000n));
    });

    afterAll(() => {
      node.close();
      control.close();
    });

    describe('chain', () => {
      it('names its network', async () => {
        expect(await must(checkNetwork(node, 'regtest'))).toEqual({ ok: true });
        expect(await must(checkNetwork(node, 'regtest_bitcoin_cash'))).toEqual({ ok: true });
        expect(await must(checkNetwork(node, 'mainnet'))).toMatchObject({ ok: false, reason: 'other-chain' });
      });

      it('tells tip, headers and median time past', async () => {
        const tip = await must(node.tip());
        const times: number[] = [];
        for (let height = tip.height; height > tip.height - 11; height -= 1) {
          const header = await must(node.header((await must(node.blockHash(height))) ?? ''));
          expect(header?.height).toBe(height);
          times.push(header?.timeSec ?? 0);
        }
        const header = await must(node.header(tip.hash));
        expect(header?.medianTimeSec).toBe(times.sort((a, b) => a - b)[5]);
        expect(header?.inActiveChain).toBe(true);
      });

      it('answers null for what there is not', async () => {
        expect(await must(node.blockHash(10_000_000))).toBeNull();
        expect(await must(node.header(UNKNOWN))).toBeNull();
        expect(await must(node.block(UNKNOWN))).toBeNull();
        expect(await must(node.transaction(UNKNOWN))).toBeNull();
        expect(await must(node.unspentOutput({ txid: UNKNOWN, vout: 0 }))).toBeNull();
        expect(await must(node.mempoolEntry(UNKNOWN))).toBeNull();
      });

      it('decodes whole blocks with witnesses', async () => {
        const coin = await bench.coin(1_00000000n);
        const tip = await must(node.tip());
        const block = await must(node.block(tip.hash));
        expect(block?.hash).toBe(tip.hash);
        const listed = await must(control.wallet(z.object({ tx: z.array(z.string()) }), 'getblock', [tip.hash, 1]));
        expect(block?.transactions.map((transaction) => transaction.txid)).toEqual(listed.tx);
        const output = block?.transactions.find(({ txid }) => txid === coin.txid)?.outputs[coin.vout];
        expect(output?.valueSat).toBe(1_00000000n);
      });
    });

    describe('amounts', () => {
      it.each([10_000_000n, 20_000_000n, 29_000_000n, 57_000_001n, 4_35999999n, 20_99999999n])(
        '%s satoshi arrive exactly',
        async (valueSat) => {
          const coin = await bench.coin(valueSat, false);
          expect((await must(node.unspentOutput(coin)))?.valueSat).toBe(valueSat);
          const found = await must(node.transaction(coin.txid));
          expect(found?.transaction.outputs[coin.vout]?.valueSat).toBe(valueSat);
        },
      );
    });

    describe('transactions and outputs', () => {
      it('follows a transaction from mempool to block to a block that is reorganised away', async () => {
        const coin = await bench.coin(1_00000000n, false);
        expect((await must(node.transaction(coin.txid)))?.place).toEqual({ kind: 'mempool' });
        expect((await must(node.unspentOutput(coin)))?.confirmations).toBe(0);
        expect(await must(node.unspentOutput(coin, 'chain'))).toBeNull();

        await must(control.mine(2));
        const tip = await must(node.tip());
        const place = (await must(node.transaction(coin.txid)))?.place;
        expect(place).toMatchObject({ kind: 'block', confirmations: 2, block: { height: tip.height - 1 } });
        expect(await must(node.unspentOutput(coin, 'chain'))).toMatchObject({
          confirmations: 2,
          atBlockHash: tip.hash,
        });

        const held = (await must(node.blockHash(tip.height - 1))) ?? '';
        await must(control.invalidate(held));
        for (let block = 0; block < 3; block += 1) await must(control.mineOnly([]));
        expect((await must(node.transaction(coin.txid)))?.place).toEqual({ kind: 'mempool' });
        expect((await must(node.header(held)))?.inActiveChain).toBe(false);
        await must(control.mine(1));
        expect((await must(node.transaction(coin.txid)))?.place).toMatchObject({ kind: 'block', confirmations: 1 });
      });

      it('tells who spends an output, in the mempool and in a block', async () => {
        const coin = await bench.coin(1_00000000n);
        const idle = await bench.coin(1_00000000n);
        const before = await must(node.tip());
        expect(await must(node.mempoolSpenders([coin]))).toMatchObject([{ spenderTxid: null }]);
        const spender = await bench.spend([coin], 1_000n);
        expect((await must(node.broadcast(spender))).code).toBe('accepted');
        expect(await must(node.mempoolSpenders([idle, coin]))).toEqual([
          { outpoint: { txid: idle.txid, vout: idle.vout }, spenderTxid: null },
          { outpoint: { txid: coin.txid, vout: coin.vout }, spenderTxid: txidOf(spender) },
        ]);
        expect(await must(node.unspentOutput(coin))).toBeNull();
        expect(await must(node.unspentOutput(coin, 'chain'))).not.toBeNull();
        await must(control.mine(1));
        expect(await must(node.mempoolSpenders([coin]))).toMatchObject([{ spenderTxid: null }]);
        const { spends } = await must(findConfirmedSpends(node, [coin, idle], before.height, 10));
        expect(spends).toMatchObject([
          { outpoint: { txid: coin.txid }, spenderTxid: txidOf(spender), vin: 0, block: { height: before.height + 1 } },
        ]);
      });

      it('finds unspent outputs by script', async () => {
        const coin = await bench.coin(3_00000000n);
        const output = await must(node.unspentOutput(coin));
        const found = await must(node.unspentByScript([output?.script ?? new Uint8Array()]));
        expect(found).toMatchObject([{ txid: coin.txid, vout: coin.vout, valueSat: 3_00000000n, coinbase: false }]);
      });
    });

    describe('mempool', () => {
      it('tells fee, size, ancestors and replaceability', async () => {
        const coin = await bench.coin(1_00000000n);
        const parent = await bench.spend([coin], 2_345n);
        await must(node.broadcast(parent));
        const entry = await must(node.mempoolEntry(txidOf(parent)));
        const size = parseTransactionHex(parent)?.virtualSize;
        expect(entry).toMatchObject({
          feeSat: 2_345n,
          virtualSize: size,
          ancestorCount: 1,
          parents: [],
          signalsReplacement: true,
        });
        const child = await bench.spend([{ txid: txidOf(parent), vout: 0, valueSat: 1_00000000n - 2_345n }], 1_000n, {
          sequence: 0xffff_ffff,
        });
        await must(node.broadcast(child));
        const childEntry = await must(node.mempoolEntry(txidOf(child)));
        expect(childEntry).toMatchObject({ ancestorCount: 2, ancestorFeeSat: 3_345n, parents: [txidOf(parent)] });
        expect((await must(node.mempoolEntry(txidOf(parent))))?.descendantCount).toBe(2);
      });

      it('tells its minimum fees', async () => {
        const info = await must(node.mempoolInfo());
        expect(info.minRelayFeeSatPerKvb).toBeGreaterThan(0n);
        expect(info.minFeeSatPerKvb).toBeGreaterThanOrEqual(info.minRelayFeeSatPerKvb);
      });
    });

    describe('broadcast', () => {
      it('accepts, and knows a repeated transaction in mempool and chain, even when all its outputs are spent', async () => {
        const coin = await bench.coin(1_00000000n);
        const hex = await bench.spend([coin], 1_000n);
        const txid = txidOf(hex);
        expect(await must(node.testAccept(hex))).toEqual({ code: 'accepted', txid, reason: '' });
        expect(await must(node.broadcast(hex))).toEqual({ code: 'accepted', txid, reason: '' });
        expect((await must(node.broadcast(hex))).code).toBe('already-in-mempool');
        expect((await must(node.testAccept(hex))).code).toBe('already-in-mempool');
        await must(control.mine(1));
        expect((await must(node.broadcast(hex))).code).toBe('already-in-chain');
        expect((await must(node.testAccept(hex))).code).toBe('already-in-chain');
        await must(node.broadcast(await bench.spend([{ txid, vout: 0, valueSat: 1_00000000n - 1_000n }], 1_000n)));
        await must(control.mine(1));
        expect((await must(node.broadcast(hex))).code).toBe('already-in-chain');
        expect((await must(node.testAccept(hex))).code).toBe('already-in-chain');
      });

      it('names each refusal', async () => {
        const coin = await bench.coin(1_00000000n);
        const good = await bench.spend([coin], 5_000n);
        const refusals: Array<[string, string]> = [
          [await bench.spend([coin], 10n), 'below-min-fee'],
          [await bench.spend([coin], 0n, { outputSat: 100n }), 'dust'],
          [await bench.spend([coin], 1_000n, { lockTime: 4_000_000_000, sequence: 0 }), 'not-final'],
          [await bench.spend([coin], 1_000n, { sequence: 1_000 }), 'not-final'],
          [await bench.spend([coin], 0n, { outputSat: 1_00000001n }), 'invalid'],
          [`${good.slice(0, -8)}01000000`, 'script-rejected'],
          ['00', 'malformed'],
          ['no hex', 'malformed'],
        ];
        for (const [hex, code] of refusals) {
          const outcome = await must(node.broadcast(hex));
          expect(outcome.code, outcome.reason).toBe(code);
          expect((await must(node.testAccept(hex))).code).toBe(code);
        }
      });

      it('takes a fee limit of the caller', async () => {
        const coin = await bench.coin(1_00000000n);
        const hex = await bench.spend([coin], 20_000_000n);
        expect((await must(node.broadcast(hex))).code).toBe('fee-too-high');
        expect((await must(node.broadcast(hex, { maxFeeRateSatPerKvb: 0n }))).code).toBe('accepted');
      });

      it('tells a conflict from a missing parent', async () => {
        const coin = await bench.coin(1_00000000n);
        const first = await bench.spend([coin], 5_000n);
        const rival = await bench.spend([coin], 4_000n);
        await must(node.broadcast(first));
        expect((await must(node.broadcast(rival))).code).toBe('conflict');
        expect((await must(node.testAccept(rival))).code).toBe('conflict');
        await must(control.mine(1));
        expect((await must(node.broadcast(rival))).code).toBe('missing-inputs');
        const orphan = first.replaceAll(Buffer.from(coin.txid, 'hex').reverse().toString('hex'), UNKNOWN);
        expect((await must(node.broadcast(orphan))).code).toBe('missing-inputs');
      });

      it('submits parent and child together, and names what is wrong with each', async () => {
        if (!(await must(node.capabilities())).packages) return;
        const family = async (parentFeeSat: bigint): Promise<[string, string]> => {
          const parent = await bench.spend([await bench.coin(1_00000000n)], parentFeeSat);
          const output = parseTransactionHex(parent)?.outputs[0];
          if (!output) throw new Error('the parent has an output');
          const unsent = { txid: txidOf(parent), vout: 0, ...output };
          return [parent, await bench.spend([unsent], 5_000n, { parents: [unsent] })];
        };
        const [parent, child] = await family(1_000n);
        const outcome = await must(node.submitPackage([parent, child]));
        expect(outcome, outcome.reason).toMatchObject({
          accepted: true,
          transactions: [{ code: 'accepted' }, { code: 'accepted' }],
        });
        expect((await must(node.mempoolEntry(txidOf(child))))?.parents).toEqual([txidOf(parent)]);
        // Below the relay minimum no child helps a version 2 parent; below the mempool's own minimum it would.
        expect(await must(node.submitPackage(await family(20n)))).toMatchObject({
          accepted: false,
          transactions: [{ code: 'below-min-fee' }, { code: 'missing-inputs' }],
        });
      });
    });

    describe('fees', () => {
      it('estimates, or says that there is no estimate', async () => {
        const estimate = await must(node.feeEstimate(3));
        const { minRelayFeeSatPerKvb } = await must(node.mempoolInfo());
        expect(estimate === null || estimate >= minRelayFeeSatPerKvb).toBe(true);
      });
    });

    describe('following blocks', () => {
      it.each([1, 3, 6])('steps back %i blocks and forward again', async (depth) => {
        const options = { startHeight: (await must(node.tip())).height - 10, batch: 100 };
        const start = await must(nextSteps(node, [], options));
        if (start.kind !== 'steps') throw new Error(start.kind);
        const known: BlockRef[] = [...start.steps.connect].reverse();
        const lost = known.slice(0, depth);
        await must(control.invalidate(lost.at(-1)?.hash ?? ''));
        await must(control.mine(depth + 1));
        const outcome = await must(nextSteps(node, known, options));
        expect(outcome).toMatchObject({
          kind: 'steps',
          steps: { disconnect: lost.map(({ hash }) => ({ hash })), more: false },
        });
        expect(outcome.kind === 'steps' && outcome.steps.connect).toHaveLength(depth + 1);
      });
    });
  });
}
