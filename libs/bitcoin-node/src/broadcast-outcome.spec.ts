import { describe, expect, it } from 'vitest';
import { classifyRefusal } from './broadcast-outcome.js';

/** Messages of Bitcoin Core 22 to 30, Knots 29 and BCHN 27, as sendrawtransaction and testmempoolaccept give them. */
const cases: ReadonlyArray<readonly [string, number | undefined, ReturnType<typeof classifyRefusal>]> = [
  ['txn-already-in-mempool', undefined, 'already-in-mempool'],
  ['txn-same-nonwitness-data-in-mempool', undefined, 'already-in-mempool'],
  ['txn-already-known', undefined, 'already-in-chain'],
  ['Transaction outputs already in utxo set', -27, 'already-in-chain'],
  ['Transaction already in block chain', -27, 'already-in-chain'],
  ['transaction already in block chain', -27, 'already-in-chain'],
  ['bad-txns-inputs-missingorspent', -25, 'missing-inputs'],
  ['missing-inputs', undefined, 'missing-inputs'],
  ['Missing inputs', -25, 'missing-inputs'],
  ['txn-mempool-conflict', -26, 'conflict'],
  ['insufficient fee, rejecting replacement abcd; new feerate 0.00001 BTC/kvB <= old feerate', -26, 'conflict'],
  ['replacement-adds-unconfirmed, replacement ab adds unconfirmed input', -26, 'conflict'],
  ['bad-txns-spends-conflicting-tx, ab spends conflicting transaction cd', -26, 'conflict'],
  ['min relay fee not met, 10 < 226', -26, 'below-min-fee'],
  ['mempool min fee not met, 226 < 1000', -26, 'below-min-fee'],
  ['mempool full', -26, 'below-min-fee'],
  ['max-fee-exceeded', undefined, 'fee-too-high'],
  ['Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)', -25, 'fee-too-high'],
  ['absurdly-high-fee', -26, 'fee-too-high'],
  ['non-BIP68-final', -26, 'not-final'],
  ['non-final', -26, 'not-final'],
  ['bad-txns-nonfinal', undefined, 'not-final'],
  ['bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 3', -26, 'not-final'],
  ['too-long-mempool-chain, too many unconfirmed ancestors [limit: 25]', -26, 'long-chain'],
  ['too-large-cluster, too many unconfirmed transactions in the cluster [limit: 64]', -26, 'long-chain'],
  ['dust', -26, 'dust'],
  ['dust, tx with dust output must be 0-fee', -26, 'dust'],
  [
    'mandatory-script-verify-flag-failed (Signature must be zero for failed CHECK(MULTI)SIG operation)',
    -26,
    'script-rejected',
  ],
  ['non-mandatory-script-verify-flag (Non-canonical DER signature)', -26, 'script-rejected'],
  ['mempool-script-verify-flag-failed (Signature hash type missing or not understood)', -26, 'script-rejected'],
  ['block-script-verify-flag-failed (Locktime requirement not satisfied)', -26, 'script-rejected'],
  ['bad-txns-in-belowout, value in (0.1) < value out (0.2)', -26, 'invalid'],
  ['bad-txns-vout-toolarge', -26, 'invalid'],
  ['scriptpubkey', -26, 'not-standard'],
  ['scriptsig-not-pushonly', -26, 'not-standard'],
  ['bad-txns-nonstandard-inputs', -26, 'not-standard'],
  ['tx-size', -26, 'not-standard'],
  ['version', -26, 'not-standard'],
  ['datacarrier', -26, 'not-standard'],
  ['TX decode failed. Make sure the tx has at least one input.', -22, 'malformed'],
  ['something new', -26, 'unknown-refusal'],
];

describe('classifyRefusal', () => {
  it.each(cases)('%s (%s) is %s', (reason, rpcCode, code) => {
    expect(classifyRefusal(reason, rpcCode)).toBe(code);
  });
});
