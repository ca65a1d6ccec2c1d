import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetainfo, parseMetainfo, type Metainfo } from '@seedfleet/bittorrent';
import { bestEcdsa, derSignature } from '@seedfleet/payment-channel';
import { keyPairOf } from '@seedfleet/wallet';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BuyerError } from '../failure.js';
import { MachineSeller, type Conduct } from '../testing/machine-seller.js';
import { depositsFor } from './deposit.js';
import { PieceSink } from './piece-sink.js';
import type { ContractMaker } from './purchase-types.js';
import { Purchase } from './purchase.js';

const PIECE = 16_384;
const PIECES = 16;
const MAX_OPEN = 4;
const TERMS = { minPrice: 1_000n, minLock: 10, maxSellers: 5, minContractFeePerKb: 0n, settlementFee: 450n };
const ecdsa = bestEcdsa();
let dir: string;
let content: Buffer;
let metainfo: Metainfo;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hostile-'));
  content = randomBytes(PIECE * PIECES - 5);
  writeFileSync(join(dir, 'a.bin'), content);
  const parsed = parseMetainfo(await createMetainfo(join(dir, 'a.bin'), { name: 'a.bin', pieceLengthBytes: PIECE }));
  if (!parsed.ok) throw new Error(parsed.error.code);
  metainfo = parsed.value;
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Contracts without a chain: keys, values and signatures are real, what the wallet does with them is proved elsewhere. */
function contractsInMemory(): ContractMaker & { made: number } {
  const maker = {
    made: 0,
    fundingTxid: undefined,
    prepare: ({ sellers, missing }: Parameters<ContractMaker['prepare']>[0]) => {
      const deposits = depositsFor(
        sellers.map(({ terms }) => ({ priceSat: terms.minPrice, settlementFeeSat: terms.settlementFee, missing })),
      );
      const txid = randomBytes(32);
      const fundings = sellers.map(({ connection }, index) => {
        const { privateKey, publicKey, keyHash } = keyPairOf(Uint8Array.from(randomBytes(32)));
        const valueSat = deposits.ok ? (deposits.valuesSat[index] ?? 0n) : 0n;
        const sign = (digest: Uint8Array) => derSignature(ecdsa.sign(digest, privateKey));
        return {
          connection,
          valueSat,
          outpoint: { txid, index },
          buyerPublicKey: publicKey,
          buyerKeyHash: keyHash,
          sign,
        };
      });
      return Promise.resolve(fundings);
    },
    store: () => Promise.resolve(),
    broadcast: () => {
      maker.made += 1;
      return Promise.resolve();
    },
    abandon: () => undefined,
    paid: () => undefined,
    awaitsConfirmation: () => Promise.resolve(false),
  };
  return maker;
}

const conduct = fc.constantFrom<Conduct>(
  'bad-pieces',
  'stall',
  'never-join',
  'close-when-funded',
  'close-midway',
  'wrong-key',
  'wrong-terms',
);

it('loses no more than a window to any sellers, and gets everything if one of them is honest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(conduct, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 3 }), play),
    { numRuns: 3 },
  );
}, 240_000);

async function play(conducts: readonly Conduct[], wanted: number): Promise<void> {
  const out = mkdtempSync(join(dir, 'out-'));
  const sellers = [...conducts, 'honest' as const].map((one) => new MachineSeller(one, metainfo, content, TERMS));
  const peers = await Promise.all(sellers.map((seller, place) => seller.listen(`127.0.0.${place + 1}`)));
  const sink = await PieceSink.open(metainfo, out);
  const contracts = contractsInMemory();
  const purchase = new Purchase({
    metainfo,
    session: {
      network: 'regtest',
      torrent: { pieces: PIECES, pieceLengthBytes: PIECE, totalBytes: metainfo.totalLengthBytes },
      ecdsa,
      terms: { maxPrice: 1_000n, maxLock: 20, minNumberOfSellers: 1, maxContractFeePerKb: 1_024n },
      sellers: wanted,
      speedTestBytes: undefined,
      maxOpenRequests: MAX_OPEN,
    },
    sellers: wanted,
    peers,
    sink,
    contracts,
    reporter: { report: () => undefined },
    userAgent: 'test',
    takeFree: false,
    allowLocal: true,
    encryption: 'off',
    searchMs: 60_000,
    // An honest seller on a busy machine must not seem to stall.
    silenceMs: 4_000,
    signal: new AbortController().signal,
  });
  try {
    const result = await purchase.run();
    await sink.close();
    expect(result.bought).toBe(PIECES);
    expect(readFileSync(join(out, 'a.bin')).equals(content)).toBe(true);
  } catch (failure) {
    // Too many that only take deposits, one after the other: given up by name, with what was paid bounded below.
    if (!(failure instanceof BuyerError) || failure.code !== 'sellers-take-deposits') throw failure;
  } finally {
    await Promise.all(sellers.map((seller) => seller.close()));
  }
  for (const { payments, delivered, fundings } of sellers) {
    expect(payments).toBeLessThanOrEqual(delivered + MAX_OPEN * fundings);
  }
  // Whoever takes a deposit and gives nothing gets a second one at most; whoever cheats gets none.
  conducts.forEach((one, place) => {
    const { fundings } = sellers[place]!;
    if (one === 'bad-pieces' || one === 'stall') expect(fundings).toBeLessThanOrEqual(1);
    if (one === 'close-when-funded') expect(fundings).toBeLessThanOrEqual(2);
    if (['never-join', 'wrong-key', 'wrong-terms'].includes(one)) expect(fundings).toBe(0);
  });
}
