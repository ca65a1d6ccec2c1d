import {
  bestEcdsa,
  p2pkhScript,
  toHex,
  prepareSettlement,
  signSettlement,
  verifyBuyerSignature,
  type ChannelParameters,
} from '@seedfleet/payment-channel';
import { describe, expect, it } from 'vitest';
import { channelParameters } from '../channels/parameters.js';
import { BUYER_PRIVATE_KEY, exampleRow } from '../testing/rows.js';
import { SeedSigner } from './signer.js';

const ecdsa = bestEcdsa();
const seed = new Uint8Array(32).fill(7);
const cold = p2pkhScript(new Uint8Array(20).fill(9));
const rules = { childFeePercent: 80n, treasuryFeePercent: 10n, destination: { script: () => cold } };
const signer = new SeedSigner(seed, 'regtest', ecdsa, rules);
const path = { epoch: 1, index: 5 };

async function ourChannel(change: Partial<ChannelParameters> = {}): Promise<ChannelParameters> {
  const parameters = channelParameters(exampleRow(), 'regtest');
  if (parameters === null) throw new Error('the example is funded');
  const { publicKey, payoutKeyHash } = await signer.publicKey(path);
  return { ...parameters, sellerPublicKey: publicKey, sellerKeyHash: payoutKeyHash, ...change };
}

const payment = (channel: ChannelParameters, k: number): Uint8Array =>
  signSettlement(prepareSettlement(channel), k, BUYER_PRIVATE_KEY, ecdsa);

describe('the signer', () => {
  it('completes a verified payment, always to the same transaction', async () => {
    const channel = await ourChannel();
    const order = { path, channel, k: 143, buyerSignature: payment(channel, 143) };
    const first = await signer.signSettlement(order);
    expect(first).toMatchObject({ ok: true });
    expect(await new SeedSigner(seed, 'regtest', ecdsa, rules).signSettlement(order)).toEqual(first);
  });

  it('signs for no key but that of the path', async () => {
    const channel = await ourChannel();
    const order = { path: { epoch: 1, index: 6 }, channel, k: 143, buyerSignature: payment(channel, 143) };
    expect(await signer.signSettlement(order)).toEqual({ ok: false, code: 'contract-key-mismatch' });
    const other = new SeedSigner(seed, 'testnet3', ecdsa, rules);
    expect(await other.signSettlement({ ...order, path })).toEqual({ ok: false, code: 'contract-key-mismatch' });
  });

  it('pays nobody but the key of the path', async () => {
    const channel = await ourChannel({ sellerKeyHash: new Uint8Array(20) });
    const order = { path, channel, k: 143, buyerSignature: payment(channel, 143) };
    expect(await signer.signSettlement(order)).toEqual({ ok: false, code: 'payout-key-mismatch' });
  });

  it('signs nothing without a payment that is good for this k and within kCap', async () => {
    const channel = await ourChannel();
    const template = prepareSettlement(channel);
    const k142 = payment(channel, 142);
    expect(verifyBuyerSignature(template, 142, k142, ecdsa)).toEqual({ ok: true });
    expect(await signer.signSettlement({ path, channel, k: 143, buyerSignature: k142 })).toEqual({
      ok: false,
      code: 'invalid-signature',
    });
    const beyond = { path, channel, k: 995, buyerSignature: payment(channel, 995) };
    expect(await signer.signSettlement(beyond)).toEqual({ ok: false, code: 'beyond-k-cap' });
  });

  it('signs a child that pays the key of the path, and nobody else, for a fee within its rules', async () => {
    const channel = await ourChannel();
    const order = { path, channel, k: 500, buyerSignature: payment(channel, 500) };
    const settled = await signer.signSettlement(order);
    if (!settled.ok) throw new Error(settled.code);
    const settlement = { path, transaction: settled.transaction.bytes, vout: 1 };
    const netSat = 500n * 7n - 450n;
    const child = await signer.signChild({ settlement, channel, coins: [], feeSat: 300n });
    if (!child.ok) throw new Error(child.code);
    expect(child).toMatchObject({ inputSat: netSat, outputsSat: [netSat - 300n] });
    const made = { path, transaction: child.transaction.bytes, vout: 0 };
    // Its output is a coin of the same key: it could be spent again.
    expect(await signer.signChild({ settlement: made, channel, coins: [], feeSat: 300n })).toMatchObject({ ok: true });

    const limit = (netSat * 80n) / 100n;
    const dear = { settlement, channel, coins: [], feeSat: limit + 1n };
    expect(await signer.signChild(dear)).toEqual({ ok: false, code: 'fee-over-limit' });
    expect(await signer.signChild({ ...dear, feeSat: 0n })).toEqual({ ok: false, code: 'fee-over-limit' });
    const ofBuyer = { ...settlement, vout: 0 };
    expect(await signer.signChild({ settlement: ofBuyer, channel, coins: [], feeSat: 300n })).toEqual({
      ok: false,
      code: 'not-our-coin',
    });
    const otherPath = { ...settlement, path: { epoch: 1, index: 6 } };
    const added = { settlement, channel, coins: [otherPath], feeSat: 300n };
    expect(await signer.signChild(added)).toEqual({ ok: false, code: 'not-our-coin' });
  });

  it('sweeps to the wallet of its rules only, for a fee within them, and splits to its own keys only', async () => {
    const channel = await ourChannel();
    const settled = await signer.signSettlement({ path, channel, k: 900, buyerSignature: payment(channel, 900) });
    if (!settled.ok) throw new Error(settled.code);
    const coins = [{ path, transaction: settled.transaction.bytes, vout: 1 }];
    const netSat = 900n * 7n - 450n;
    const swept = await signer.signSweep({ coins, feeSat: 500n, index: null });
    if (!swept.ok) throw new Error(swept.code);
    expect(swept.outputsSat).toEqual([netSat - 500n]);
    expect(toHex(swept.transaction.bytes).split(`19${toHex(cold)}`)).toHaveLength(2);
    expect(await signer.signSweep({ coins, feeSat: netSat / 10n + 1n, index: null })).toEqual({
      ok: false,
      code: 'fee-over-limit',
    });
    expect(await signer.signSweep({ coins: [], feeSat: 500n, index: null })).toEqual({
      ok: false,
      code: 'not-our-coin',
    });
    const homeless = new SeedSigner(seed, 'regtest', ecdsa, { ...rules, destination: null });
    expect(await homeless.signSweep({ coins, feeSat: 500n, index: null })).toEqual({
      ok: false,
      code: 'no-destination',
    });

    const split = await signer.signSplit({ coins, feeSat: 500n, count: 2, valueSat: 2_000n });
    if (!split.ok) throw new Error(split.code);
    expect(split.outputsSat).toEqual([2_000n, 2_000n, netSat - 4_500n]);
    const own = p2pkhScript((await signer.publicKey(path)).payoutKeyHash);
    expect(toHex(split.transaction.bytes).split(`19${toHex(own)}`)).toHaveLength(4);
    const beyond = { coins, feeSat: 500n, count: 3, valueSat: 2_000n };
    expect(await signer.signSplit(beyond)).toEqual({ ok: false, code: 'output-is-dust' });
  });
});
