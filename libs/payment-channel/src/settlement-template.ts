import { isCollectable, netSat, paidSat } from './amounts.js';
import { concatBytes, reversed, u32le, u64le } from './bytes.js';
import type { SigningRule } from './network.js';
import { sighashByte, signingRule } from './network.js';
import type { ChannelParameters } from './parameters.js';
import { redeemScriptOf } from './redeem-script.js';
import { hash256, p2pkhScript } from './scripts.js';

/**
 * The settlements of one channel differ in two amounts only. A template holds the bytes that are hashed for signing
 * with holes for those amounts, so that the digest of payment k is: write 8 or 16 bytes, hash. No transaction object.
 */
export interface SettlementTemplate {
  readonly channel: ChannelParameters;
  readonly redeemScript: Uint8Array;
  readonly rule: SigningRule;
  /**
   * The 32-byte digest that payment k signs. A fresh array each time.
   * Throws RangeError where the funding value does not cover k payments; `verifyPayment` checks that before.
   */
  digest(k: number, rule?: SigningRule): Uint8Array;
}

/** @param redeemScript for scripts with a block lock, which only the reference's vectors have. */
export function prepareSettlement(
  channel: ChannelParameters,
  redeemScript: Uint8Array = redeemScriptOf(channel),
): SettlementTemplate {
  const rule = signingRule(channel.network);
  const own = preimages(channel, redeemScript, rule);
  return {
    channel,
    redeemScript,
    rule,
    digest: (k, askedRule = rule) =>
      digestOf(channel, k, askedRule === rule ? own : preimages(channel, redeemScript, askedRule)),
  };
}

/** What is hashed, for settlements without and with the seller's output. */
interface Preimages {
  readonly withoutSeller: Preimage;
  readonly withSeller: Preimage;
}

interface Preimage {
  /** Puts the amounts in their holes and hashes. `sellerSat` is ignored where there is no seller output. */
  digest(changeSat: bigint, sellerSat: bigint): Uint8Array;
}

function digestOf(channel: ChannelParameters, k: number, prepared: Preimages): Uint8Array {
  if (!Number.isSafeInteger(k) || k < 0) throw new RangeError('payment number is not a non-negative safe integer');
  const { priceSat, settlementFeeSat } = channel;
  const changeSat = channel.fundingValueSat - paidSat(k, priceSat);
  if (changeSat < 0n) throw new RangeError('the funding value does not cover this payment');
  return isCollectable(k, priceSat, settlementFeeSat)
    ? prepared.withSeller.digest(changeSat, netSat(k, priceSat, settlementFeeSat))
    : prepared.withoutSeller.digest(changeSat, 0n);
}

function preimages(channel: ChannelParameters, redeemScript: Uint8Array, rule: SigningRule): Preimages {
  const make = rule === 'legacy' ? legacyPreimage : forkidPreimage;
  const buyer = p2pkhScript(channel.buyerKeyHash);
  const seller = p2pkhScript(channel.sellerKeyHash);
  return {
    withoutSeller: make(channel, redeemScript, outputs(buyer)),
    withSeller: make(channel, redeemScript, outputs(buyer, seller)),
  };
}

const VERSION = u32le(1);
const FINAL_SEQUENCE = u32le(0xffff_ffff);
const LOCK_TIME = u32le(0);

/** The serialised outputs, all amounts zero: 34 bytes each, the amount first. */
function outputs(...scripts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...scripts.map((script) => concatBytes(u64le(0n), Uint8Array.of(script.length), script)));
}

const OUTPUT_BYTES = 34;

function outpointBytes(channel: ChannelParameters): Uint8Array {
  return concatBytes(reversed(channel.fundingOutpoint.txid), u32le(channel.fundingOutpoint.index));
}

function varScript(script: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(script.length), script);
}

/** Legacy: the whole transaction with the redeem script in place of the input script, then the hash type. */
function legacyPreimage(channel: ChannelParameters, redeemScript: Uint8Array, outs: Uint8Array): Preimage {
  const head = concatBytes(
    VERSION,
    Uint8Array.of(1),
    outpointBytes(channel),
    varScript(redeemScript),
    FINAL_SEQUENCE,
    Uint8Array.of(outs.length / OUTPUT_BYTES),
  );
  const bytes = concatBytes(head, outs, LOCK_TIME, u32le(sighashByte('legacy')));
  const amounts = amountHoles(bytes, head.length, outs);
  return {
    digest(changeSat, sellerSat) {
      amounts.write(changeSat, sellerSat);
      return hash256(bytes);
    },
  };
}

/** FORKID: hashes of the parts, the amount spent, and the hash of the outputs in the middle (BIP 143). */
function forkidPreimage(channel: ChannelParameters, redeemScript: Uint8Array, outs: Uint8Array): Preimage {
  const outpoint = outpointBytes(channel);
  const head = concatBytes(
    VERSION,
    hash256(outpoint),
    hash256(FINAL_SEQUENCE),
    outpoint,
    varScript(redeemScript),
    u64le(channel.fundingValueSat),
    FINAL_SEQUENCE,
  );
  const bytes = concatBytes(head, new Uint8Array(32), LOCK_TIME, u32le(sighashByte('forkid')));
  const amounts = amountHoles(outs, 0, outs);
  return {
    digest(changeSat, sellerSat) {
      amounts.write(changeSat, sellerSat);
      bytes.set(hash256(outs), head.length);
      return hash256(bytes);
    },
  };
}

function amountHoles(bytes: Uint8Array, offset: number, outs: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hasSeller = outs.length === 2 * OUTPUT_BYTES;
  return {
    write(changeSat: bigint, sellerSat: bigint): void {
      view.setBigUint64(offset, changeSat, true);
      if (hasSeller) view.setBigUint64(offset + OUTPUT_BYTES, sellerSat, true);
    },
  };
}
