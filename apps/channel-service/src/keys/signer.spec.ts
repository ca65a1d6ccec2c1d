import {
  bestEcdsa,
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
const signer = new SeedSigner(seed, 'regtest', ecdsa);
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
    expect(await new SeedSigner(seed, 'regtest', ecdsa).signSettlement(order)).toEqual(first);
  });

  it('signs for no key but that of the path', async () => {
    const channel = await ourChannel();
    const order = { path: { epoch: 1, index: 6 }, channel, k: 143, buyerSignature: payment(channel, 143) };
    expect(await signer.signSettlement(order)).toEqual({ ok: false, code: 'contract-key-mismatch' });
    const other = new SeedSigner(seed, 'testnet3', ecdsa);
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
});
