import { signerPublicKey, signerSettlement } from '@seedfleet/bus';
import {
  bestEcdsa,
  decodeTransaction,
  derSignature,
  otherRule,
  prepareSettlement,
  redeemScriptOf,
  unsignedSettlement,
} from '@seedfleet/payment-channel';
import { sign } from 'tiny-secp256k1';
import { beginSale, buyOn } from '../restore/sales.js';
import { finishChannels } from '../world/finish.js';
import { channelOf } from '../world/states.js';
import { channelFaults } from '../world/verdict.js';
import { waitFor, type Goods, type World } from '../world/world.js';
import { inventedChannel, settlementOf, type SettlementAsk, type Sold } from './orders.js';
import { linesIn, signingLogOf } from './signing-file.js';
import type { Thief } from './thief.js';

const BOUND_MS = 60_000;

/** Just beside the settlement that was signed: by the thief alone, or in league with the buyer. */
export function refusedSettlements(sold: Sold): readonly [string, SettlementAsk, string][] {
  const { parameters, k, path, buyerKey } = sold;
  const good = settlementOf(sold);
  const { channel } = good;
  const { priceSat, fundingValueSat, settlementFeeSat, sellerKeyHash, buyerKeyHash, fundingOutpoint } = parameters;
  const elsewhere = { ...fundingOutpoint, index: fundingOutpoint.index + 1 };
  const template = prepareSettlement(parameters);
  const digest = template.digest(k);
  const otherNonce = derSignature(sign(digest, buyerKey, new Uint8Array(32).fill(5)));
  const byKind = (kind: number): Uint8Array => {
    const unsigned = decodeTransaction(unsignedSettlement(parameters, k).bytes);
    const other = unsigned?.hashForSignature(0, redeemScriptOf(parameters), kind) ?? digest;
    return derSignature(bestEcdsa().sign(other, buyerKey));
  };
  const foreign = derSignature(bestEcdsa().sign(template.digest(k, otherRule(template.rule)), buyerKey));
  const last = Number(fundingValueSat / priceSat);
  // The change of the last payment would be dust.
  const dusty = { fundingValueSat: priceSat * BigInt(last) + 100n };
  return [
    ['a payment less', settlementOf(sold, k - 1), 'payment-below-signed'],
    ['the first payment', settlementOf(sold, 1), 'payment-below-signed'],
    ['the same payment with another signature', { ...good, buyerSignature: otherNonce }, 'payment-signed-otherwise'],
    ['a payment that was not signed', { ...good, k: k + 1 }, 'invalid-signature'],
    ['no payment', { ...good, k: 0 }, 'k-out-of-range'],
    ['a payment beyond the cap', settlementOf(sold, last, dusty), 'beyond-k-cap'],
    ['a payment beyond the funding', { ...good, k: last + 1 }, 'beyond-k-pay'],
    [
      'our output for somebody else',
      settlementOf(sold, k, { sellerKeyHash: flipped(sellerKeyHash) }),
      'payout-key-mismatch',
    ],
    [
      'the change for somebody else',
      { ...good, channel: { ...channel, buyerKeyHash: flipped(buyerKeyHash) } },
      'invalid-signature',
    ],
    [
      'the same, the buyer agreeing',
      settlementOf(sold, k, { buyerKeyHash: flipped(buyerKeyHash) }),
      'path-used-otherwise',
    ],
    [
      'a satoshi less in the funding',
      { ...good, channel: { ...channel, fundingValueSat: fundingValueSat - 1n } },
      'invalid-signature',
    ],
    ['a price of a satoshi less', { ...good, channel: { ...channel, priceSat: priceSat - 1n } }, 'invalid-signature'],
    ['the same, the buyer agreeing', settlementOf(sold, k, { priceSat: priceSat - 1n }), 'path-used-otherwise'],
    ['the same for a higher payment', settlementOf(sold, k + 1, { priceSat: priceSat - 1n }), 'path-used-otherwise'],
    [
      'a fee of a satoshi more',
      { ...good, channel: { ...channel, settlementFeeSat: settlementFeeSat + 1n } },
      'invalid-signature',
    ],
    [
      'the same, the buyer agreeing',
      settlementOf(sold, k, { settlementFeeSat: settlementFeeSat + 1n }),
      'path-used-otherwise',
    ],
    ['another funding', settlementOf(sold, k + 1, { fundingOutpoint: elsewhere }), 'path-used-otherwise'],
    ['the key of another channel', { ...good, path: { ...path, index: path.index + 1 } }, 'contract-key-mismatch'],
    ['the key of another epoch', { ...good, path: { ...path, epoch: path.epoch + 1 } }, 'contract-key-mismatch'],
    ['a signature of no output (SIGHASH_NONE)', { ...good, buyerSignature: byKind(2) }, 'invalid-signature'],
    ['a signature of one output (SIGHASH_SINGLE)', { ...good, buyerSignature: byKind(3) }, 'invalid-signature'],
    ['a signature of any input (ANYONECANPAY)', { ...good, buyerSignature: byKind(0x81) }, 'invalid-signature'],
    ['a signature for the other network', { ...good, buyerSignature: foreign }, 'wrong-network'],
    ['the name of another seed', { ...good, seedId: '00ff00ff00ff00ff' }, 'other-seed'],
  ];
}

/** Two orders at once for one key: one is signed, whichever comes first. */
export async function rivalFaults(thief: Thief, sold: Sold, index: number): Promise<string[]> {
  const path = { epoch: sold.path.epoch, index };
  const ours = await thief.ask(signerPublicKey, { seedId: sold.seedId, path });
  if (typeof ours === 'string' || !ours.given) return ['no public key is given'];
  const orders = [11, 12].map((seed) => {
    const invented = inventedChannel(sold, path, ours, seed);
    return settlementOf({ ...invented, settlement: new Uint8Array() });
  });
  const answers = await Promise.all(orders.map((order) => thief.ask(signerSettlement, order)));
  const refused = answers.filter((answer) => answer === 'path-used-otherwise').length;
  return refused === 1 ? [] : [`of two channels with one key ${2 - refused} were settled`];
}

/**
 * The key of a channel that is open: from its first checkpoint on, seconds after its first payment that is worth one, it settles that
 * channel and no other, whoever asks first for its end.
 */
export async function openKeyFaults(world: World, thief: Thief, goods: Goods, sold: Sold): Promise<string[]> {
  const buyer = await beginSale(world, goods);
  const { keyEpoch: epoch, keyIndex: index } = await channelOf(world, buyer);
  const name = `${epoch}/${index}`;
  const isBound = (): boolean => linesIn(signingLogOf(world)).some(({ path }) => path === name);
  await waitFor(isBound, BOUND_MS, 'a checkpoint of an open channel');
  const { parameters } = buyer;
  if (parameters === undefined) throw new Error('never joined');
  const ours = { publicKey: parameters.sellerPublicKey, payoutKeyHash: parameters.sellerKeyHash };
  const invented = { ...inventedChannel(sold, { epoch, index }, ours, 31), settlement: new Uint8Array() };
  const answer = await thief.ask(signerSettlement, settlementOf(invented));
  await buyOn(buyer, 6);
  await buyer.leave();
  await finishChannels(world);
  const faults = await channelFaults(world, buyer, { sellerDied: false });
  return answer === 'path-used-otherwise'
    ? faults
    : [...faults, `its key was used for another channel: ${String(answer)}`];
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte));
}
