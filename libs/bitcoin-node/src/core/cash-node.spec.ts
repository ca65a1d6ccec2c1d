import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkNetwork } from '../network.js';
import { CoreNode } from './core-node.js';

/*
 * Against answers in the shapes that BCHN documents (its RPC help, https://docs.bitcoincashnode.org/doc/json-rpc/, and the
 * description of the proofs' calls in its merge request 1026), written by hand: no such node was there to record them from.
 */

const HASH = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const PROOF = 'ef'.repeat(32);
/** One input, one output. */
const RAW = `0200000001${HASH}000000000000000000${'01'}e8030000000000001976a914${'11'.repeat(20)}88ac00000000`;

const HELP = [
  '== Blockchain ==',
  'getblockchaininfo',
  'getdsproof "dspid_or_txid_or_outpoint" ( verbosity recursive )',
  'getdsprooflist ( verbosity include_orphans )',
  'getmempoolentry "txid"',
  '== Rawtransactions ==',
  'sendrawtransaction "hexstring" ( allowhighfees )',
  'testmempoolaccept ["rawtxs"] ( allowhighfees )',
  '== Util ==',
  'estimatefee',
].join('\n');

type Answer = unknown;
let answers: Record<string, Answer | ((params: unknown[]) => Answer)>;
let asked: { method: string; params: unknown[] }[];
let server: http.Server;
let node: CoreNode;

class Refusal {
  constructor(
    readonly code: number,
    readonly message: string,
  ) {}
}

beforeEach(async () => {
  asked = [];
  answers = {
    help: HELP,
    getblockchaininfo: {
      chain: 'main',
      blocks: 700_000,
      headers: 700_000,
      bestblockhash: HASH,
      initialblockdownload: false,
      pruned: false,
    },
    getnetworkinfo: { version: 28000000, subversion: '/Bitcoin Cash Node:28.0.0(EB32.0)/' },
    getmempoolentry: new Refusal(-5, 'Transaction not in mempool'),
    estimatefee: 0.00001,
  };
  server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { id, method, params } = JSON.parse(Buffer.concat(chunks).toString()) as {
        id: number;
        method: string;
        params: unknown[];
      };
      asked.push({ method, params });
      const given = answers[method] ?? new Refusal(-32601, 'Method not found');
      const answer: unknown = typeof given === 'function' ? (given as (all: unknown[]) => unknown)(params) : given;
      if (!(answer instanceof Refusal)) return response.end(JSON.stringify({ result: answer, error: null, id }));
      response.statusCode = 500;
      const error = { code: answer.code, message: answer.message };
      return response.end(JSON.stringify({ result: null, error, id }));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  node = new CoreNode({ url: `http://u:p@127.0.0.1:${(server.address() as AddressInfo).port}`, retryForMs: 0 });
});

afterEach(() => {
  node.close();
  server.closeAllConnections();
  server.close();
});

const paramsOf = (method: string): unknown[] | undefined => asked.find((one) => one.method === method)?.params;

it('is told from a Bitcoin node by what it can do', async () => {
  expect(await node.capabilities()).toEqual({
    ok: true,
    value: {
      mempoolSpenders: false,
      packages: false,
      transactionIndex: false,
      doubleSpendProofs: true,
      feeLimit: 'flag',
    },
  });
  answers['getblockhash'] = '000000000000000000651ef99cb9fcbe0dadde1d424bd9f15ff20136191a5eec';
  expect(await checkNetwork(node, 'mainnet_bitcoin_cash')).toEqual({ ok: true, value: { ok: true } });
  expect(await checkNetwork(node, 'mainnet')).toMatchObject({ value: { ok: false, reason: 'other-fork' } });
});

it.each([
  [undefined, []],
  [0n, [true]],
  [5_000n, [false]],
])('is sent a transaction with a flag in place of a fee rate of %s', async (maxFeeRateSatPerKvb, flag) => {
  answers['sendrawtransaction'] = HASH;
  answers['testmempoolaccept'] = [{ txid: HASH, allowed: false, 'reject-reason': '64: txn-mempool-conflict' }];
  const options = maxFeeRateSatPerKvb === undefined ? {} : { maxFeeRateSatPerKvb };
  expect(await node.broadcast(RAW, options)).toMatchObject({ ok: true, value: { code: 'accepted' } });
  expect(paramsOf('sendrawtransaction')).toEqual([RAW, ...flag]);
  expect(await node.testAccept(RAW, options)).toMatchObject({ value: { code: 'conflict' } });
  expect(paramsOf('testmempoolaccept')).toEqual([[RAW], ...flag]);
});

it.each([
  ['txn-mempool-conflict (code 18)', 'conflict'],
  ['min relay fee not met (code 66)', 'below-min-fee'],
  ['bad-txns-inputs-missingorspent (code 16)', 'missing-inputs'],
  ['mandatory-script-verify-flag-failed (Signature must use SIGHASH_FORKID) (code 16)', 'script-rejected'],
  ['absurdly-high-fee', 'fee-too-high'],
])('refuses with words that are understood: %s', async (message, code) => {
  answers['sendrawtransaction'] = new Refusal(-26, message);
  answers['getrawtransaction'] = new Refusal(-5, 'No such mempool or blockchain transaction');
  expect(await node.broadcast(RAW)).toMatchObject({ ok: true, value: { code } });
});

it('estimates by a call without a target, and has entries without ancestors', async () => {
  expect(await node.feeEstimate(3)).toEqual({ ok: true, value: 1_000n });
  expect(paramsOf('estimatefee')).toEqual([]);
  answers['getmempoolentry'] = {
    fees: { base: 0.00000347, modified: 0.00000347 },
    size: 347,
    time: 1_700_000_000,
    depends: [OTHER],
    spentby: [],
  };
  expect(await node.mempoolEntry(HASH)).toMatchObject({
    ok: true,
    value: { feeSat: 347n, virtualSize: 347, ancestorCount: 2, parents: [OTHER], signalsReplacement: null },
  });
});

it('lists proofs of double spends, of transactions that it has and has not', async () => {
  answers['getdsprooflist'] = [
    { dspid: PROOF, txid: HASH, outpoint: { txid: OTHER, vout: 1 } },
    { dspid: OTHER, txid: null, outpoint: { txid: HASH, vout: 0 } },
  ];
  expect(await node.doubleSpendProofs()).toEqual({
    ok: true,
    value: [
      { id: PROOF, txid: HASH, outpoint: { txid: OTHER, vout: 1 } },
      { id: OTHER, txid: null, outpoint: { txid: HASH, vout: 0 } },
    ],
  });
  expect(paramsOf('getdsprooflist')).toEqual([2]);
});

it('has no proofs where it is a Bitcoin node', async () => {
  answers['help'] = 'sendrawtransaction "hexstring" ( maxfeerate maxburnamount )\nsubmitpackage ["rawtx",...]';
  expect(await node.doubleSpendProofs()).toEqual({ ok: true, value: [] });
  expect(paramsOf('getdsprooflist')).toBeUndefined();
});
