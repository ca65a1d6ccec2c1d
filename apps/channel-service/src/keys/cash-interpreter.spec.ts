import { createVirtualMachineBCH2023, decodeTransactionUnsafe } from '@bitauth/libauth';
import {
  bestEcdsa,
  p2pkhScript,
  p2shScript,
  prepareSettlement,
  redeemScriptOf,
  signSettlement,
} from '@seedfleet/payment-channel';
import { expect, it } from 'vitest';
import { channelParameters } from '../channels/parameters.js';
import { BUYER_PRIVATE_KEY, exampleRow } from '../testing/rows.js';
import { SeedSigner, type SignedTreasury } from './signer.js';

const network = 'regtest_bitcoin_cash';
const ecdsa = bestEcdsa();
const path = { epoch: 1, index: 5 };
const vm = createVirtualMachineBCH2023(true);

function verdict(raw: Uint8Array, lock: Uint8Array, valueSatoshis: bigint): string | true {
  const transaction = decodeTransactionUnsafe(Uint8Array.from(raw));
  return vm.verify({ sourceOutputs: [{ lockingBytecode: Uint8Array.from(lock), valueSatoshis }], transaction });
}

it('makes settlements, children, splits and sweeps that an independent interpreter of Bitcoin Cash takes', async () => {
  const destination = p2pkhScript(new Uint8Array(20).fill(9));
  const signer = new SeedSigner(new Uint8Array(32).fill(7), network, ecdsa, {
    childFeePercent: 80n,
    treasuryFeePercent: 10n,
    destination: { script: () => destination },
  });
  const { publicKey, payoutKeyHash } = await signer.publicKey(path);
  const example = channelParameters(exampleRow(), network);
  if (example === null) throw new Error('the example is funded');
  const channel = { ...example, sellerPublicKey: publicKey, sellerKeyHash: payoutKeyHash };
  const template = prepareSettlement(channel);
  const buyerSignature = signSettlement(template, 900, BUYER_PRIVATE_KEY, ecdsa);
  const settled = await signer.signSettlement({ path, channel, k: 900, buyerSignature });
  if (!settled.ok) throw new Error(settled.code);
  const { bytes } = settled.transaction;
  expect(verdict(bytes, p2shScript(redeemScriptOf(channel)), channel.fundingValueSat)).toBe(true);

  const netSat = 900n * 7n - 450n;
  const coin = { path, transaction: bytes, vout: 1 };
  const own = p2pkhScript(payoutKeyHash);
  const made: SignedTreasury[] = [
    await signer.signChild({ settlement: coin, channel, coins: [], feeSat: 300n }),
    await signer.signSweep({ coins: [coin], feeSat: 300n, index: null }),
    await signer.signSplit({ coins: [coin], feeSat: 300n, count: 2, valueSat: 1_000n }),
  ];
  for (const signed of made) {
    if (!signed.ok) throw new Error(signed.code);
    expect(verdict(signed.transaction.bytes, own, netSat)).toBe(true);
    expect(verdict(signed.transaction.bytes, own, netSat - 1n)).not.toBe(true);
  }
});
