import {
  isNetwork,
  lockPush,
  lockSequence,
  type ChannelParameters,
  type Network,
  type RelativeLock,
} from '@seedfleet/payment-channel';
import type { Differences } from '../compare.js';
import { VectorError, type Fields } from '../input/fields.js';

/** The parts of a payment-channel vector that several sections share, read into our own types. */

export const networkOf = (vector: Fields): Network => {
  const name = vector.text('network');
  if (!isNetwork(name)) throw new VectorError(`${vector.path}: network ${name} is not known`);
  return name;
};

export const lockOf = (lockTime: Fields): RelativeLock => {
  const units = lockTime.text('units');
  if (units !== 'time' && units !== 'blocks') throw new VectorError(`${lockTime.path}: units ${units} are not known`);
  return { units, counter: lockTime.number('counter') };
};

/** Compares the push and the sequence number of a `lockTime`. */
export const compareLock = (diff: Differences, lockTime: Fields): void => {
  const lock = lockOf(lockTime);
  if (lockTime.has('scriptPush')) diff.same('lockTime.scriptPush', lockTime.bytes('scriptPush'), lockPush(lock));
  if (lockTime.has('sequence')) diff.same('lockTime.sequence', lockTime.number('sequence'), lockSequence(lock));
};

/**
 * A vector's channel. Block locks, which the protocol never uses, are not among the parameters: settlements and refunds
 * are given the redeem script beside them.
 */
export const channelOf = (vector: Fields): ChannelParameters => {
  const outpoint = vector.fields('contractOutPoint');
  return {
    network: networkOf(vector),
    priceSat: vector.has('price') ? vector.integer('price') : 0n,
    lockUnits: lockOf(vector.fields('lockTime')).counter,
    settlementFeeSat: vector.has('settlementFee') ? vector.integer('settlementFee') : 0n,
    fundingValueSat: vector.integer('funds'),
    fundingOutpoint: { txid: outpoint.bytes('txid'), index: outpoint.number('index') },
    buyerPublicKey: vector.bytes('payorPk'),
    sellerPublicKey: vector.bytes('payeePk'),
    buyerKeyHash: vector.has('payorFinalPkHash') ? vector.bytes('payorFinalPkHash') : new Uint8Array(20),
    sellerKeyHash: vector.has('payeeFinalPkHash') ? vector.bytes('payeeFinalPkHash') : new Uint8Array(20),
  };
};
