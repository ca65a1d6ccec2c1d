import { Transaction } from 'bitcoinjs-lib';
import type { ChannelParameters, Ecdsa, Network, RawTransaction } from '@seedfleet/payment-channel';
import { MAX_REFUND_BYTES, feeSat, raw, reversed, signedRefund } from '@seedfleet/payment-channel';
import type { Coin } from './coins.js';
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
  const wantedSat = feeSat(parent.vbytes + vbytes, ratePerKbSat) - parent.feeSat;
  const leastSat = feeSat(vbytes, MIN_RELAY_PER_KB_SAT);
  if (leastSat > budgetSat) return failed({ code: 'over-budget', leastSat });
  const feeOfChild = wantedSat > budgetSat ? budgetSat : wantedSat < leastSat ? leastSat : wantedSat;
  return spendAll(network, coins, destinationScript, feeOfChild, ecdsa);
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
  if (coins.length > MAX_INPUTS) return failed({ code: 'too-many-coins' });
  const valueSat = sumSat(coins) - fee;
  if (valueSat < dustSat(script)) return failed({ code: 'output-is-dust', valueSat });
  const transaction = new Transaction();
  transaction.version = 2;
  for (const { outpoint } of coins) {
    transaction.addInput(reversed(outpoint.txid), outpoint.index, REPLACEABLE_SEQUENCE);
  }
  transaction.addOutput(script, valueSat);
  signInputs(transaction, coins, network, ecdsa);
  return { ok: true, transaction: raw(transaction), valueSat, feeSat: fee };
}

function failed(error: SpendError): SpendResult {
  return { ok: false, error };
}
