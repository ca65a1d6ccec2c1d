import { Transaction } from 'bitcoinjs-lib';
import type { ChannelParameters, Ecdsa, Network, RawTransaction } from '@seedfleet/payment-channel';
import { MAX_REFUND_BYTES, feeSat, raw, reversed, signedRefund } from '@seedfleet/payment-channel';
import type { Coin, Payment } from './coins.js';
import { MAX_INPUTS, sumSat } from './coins.js';
import { dustSat, outputBytes } from './outputs.js';
import { signInputs } from './sign.js';
import { transactionVbytes } from './size.js';

/** Transactions with one destination: sweeps into the treasury, children that pay for their parent, refunds. */

export type SpendError =
  /** Nothing to spend. */
  | { readonly code: 'no-coins' }
  /** More than `MAX_INPUTS` coins; spend them in several transactions. */
  | { readonly code: 'too-many-coins' }
  /** A child that is relayed at all would cost more than the budget. */
  | { readonly code: 'over-budget'; readonly leastSat: bigint }
  /** What remains after the fee is too small to be relayed. */
  | { readonly code: 'output-is-dust'; readonly valueSat: bigint };

export type SpendResult =
  | { readonly ok: true; readonly transaction: RawTransaction; readonly valueSat: bigint; readonly feeSat: bigint }
  | { readonly ok: false; readonly error: SpendError };

/** BIP 125: below 0xfffffffe, so that nodes let us replace the transaction by one that pays more. */
const REPLACEABLE_SEQUENCE = 0xffff_fffd;

/** Sends all of these coins, less the fee at this rate, to one script. Replaceable. */
export function buildSweep(
  network: Network,
  coins: readonly Coin[],
  destinationScript: Uint8Array,
  ratePerKbSat: bigint,
  ecdsa: Ecdsa,
): SpendResult {
  const vbytes = transactionVbytes(
    coins.map(({ kind }) => kind),
    [destinationScript],
  );
  return spendAll(network, coins, destinationScript, feeSat(vbytes, ratePerKbSat), ecdsa);
}

/** A settlement as its child sees it. */
export interface Parent {
  /** The seller's output, with the payout key of its channel. */
  readonly output: Coin;
  readonly vbytes: number;
  readonly feeSat: bigint;
}

/**
 * The child that lifts its parent to a fee rate: parent and child together pay `ratePerKbSat`. It spends the seller's
 * output and, where that is too little, confirmed treasury coins. Replaceable; only the child is ever replaced.
 * @param budgetSat most that the child may cost; the rate gives way to it.
 */
export function buildChild(
  network: Network,
  parent: Parent,
  treasuryCoins: readonly Coin[],
  destinationScript: Uint8Array,
  ratePerKbSat: bigint,
  budgetSat: bigint,
  ecdsa: Ecdsa,
): SpendResult {
  const coins = [parent.output, ...treasuryCoins];
  const vbytes = transactionVbytes(
    coins.map(({ kind }) => kind),
    [destinationScript],
  );
  const fee = childFee(parent, vbytes, ratePerKbSat, budgetSat);
  return fee.ok ? spendAll(network, coins, destinationScript, fee.feeSat, ecdsa) : failed(fee.error);
}

export type ChildFee =
  | { readonly ok: true; readonly feeSat: bigint }
  | { readonly ok: false; readonly error: { readonly code: 'over-budget'; readonly leastSat: bigint } };

/** What a child of this size pays so that it and its parent together pay the rate: at least its own relay, at most the budget. */
export function childFee(
  parent: Pick<Parent, 'vbytes' | 'feeSat'>,
  childVbytes: number,
  ratePerKbSat: bigint,
  budgetSat: bigint,
): ChildFee {
  const wantedSat = feeSat(parent.vbytes + childVbytes, ratePerKbSat) - parent.feeSat;
  const leastSat = feeSat(childVbytes, MIN_RELAY_PER_KB_SAT);
  if (leastSat > budgetSat) return { ok: false, error: { code: 'over-budget', leastSat } };
  return { ok: true, feeSat: wantedSat > budgetSat ? budgetSat : wantedSat < leastSat ? leastSat : wantedSat };
}

/** Spends all of these coins to exactly these outputs; what is left over is the fee. Replaceable. Throws RangeError for no fee. */
export function buildPayment(
  network: Network,
  coins: readonly Coin[],
  outputs: readonly Payment[],
  ecdsa: Ecdsa,
): SpendResult {
  if (coins.length === 0) return failed({ code: 'no-coins' });
  if (coins.length > MAX_INPUTS) return failed({ code: 'too-many-coins' });
  const dust = outputs.find(({ script, valueSat }) => valueSat < dustSat(script));
  if (dust) return failed({ code: 'output-is-dust', valueSat: dust.valueSat });
  const valueSat = sumSat(outputs);
  const fee = sumSat(coins) - valueSat;
  if (fee <= 0n) throw new RangeError('a transaction pays a fee');
  const transaction = new Transaction();
  transaction.version = 2;
  for (const { outpoint } of coins) {
    transaction.addInput(reversed(outpoint.txid), outpoint.index, REPLACEABLE_SEQUENCE);
  }
  for (const output of outputs) transaction.addOutput(output.script, output.valueSat);
  signInputs(transaction, coins, network, ecdsa);
  return { ok: true, transaction: raw(transaction), valueSat, feeSat: fee };
}

/** A child must itself be relayed: 1 sat/vB. */
const MIN_RELAY_PER_KB_SAT = 1000n;

/** The buyer's refund, all of the funding value less the fee to one script. Not before `refundMaturityMtp`. */
export function buildRefund(
  channel: ChannelParameters,
  buyerPrivateKey: Uint8Array,
  destinationScript: Uint8Array,
  ratePerKbSat: bigint,
  ecdsa: Ecdsa,
): SpendResult {
  // The known size is with one P2PKH output; other destinations differ by their output alone.
  const vbytes = MAX_REFUND_BYTES - P2PKH_OUTPUT_BYTES + outputBytes(destinationScript);
  const fee = feeSat(vbytes, ratePerKbSat);
  const valueSat = channel.fundingValueSat - fee;
  if (valueSat < dustSat(destinationScript)) return failed({ code: 'output-is-dust', valueSat });
  const outputs = [{ script: destinationScript, valueSat }];
  return { ok: true, transaction: signedRefund(channel, outputs, buyerPrivateKey, ecdsa), valueSat, feeSat: fee };
}

const P2PKH_OUTPUT_BYTES = 34;

function spendAll(
  network: Network,
  coins: readonly Coin[],
  script: Uint8Array,
  fee: bigint,
  ecdsa: Ecdsa,
): SpendResult {
  if (coins.length === 0) return failed({ code: 'no-coins' });
  return buildPayment(network, coins, [{ script, valueSat: sumSat(coins) - fee }], ecdsa);
}

function failed(error: SpendError): SpendResult {
  return { ok: false, error };
}
