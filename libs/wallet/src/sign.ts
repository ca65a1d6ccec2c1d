import { Transaction } from 'bitcoinjs-lib';
import type { Ecdsa, Network } from '@seedfleet/payment-channel';
import {
  concatBytes,
  derSignature,
  hasSegwit,
  inputDigest,
  p2pkhScript,
  p2pkhScriptSig,
  sighashByte,
  signingRule,
} from '@seedfleet/payment-channel';
import type { Coin } from './coins.js';

/**
 * Signs every input of a transaction whose inputs are these coins, in this order. P2PKH follows the network's signing
 * rule; P2WPKH is BIP 143 with type ALL, and exists only where the network has it (RangeError else).
 */
export function signInputs(transaction: Transaction, coins: readonly Coin[], network: Network, ecdsa: Ecdsa): void {
  if (transaction.ins.length !== coins.length) throw new RangeError('one coin per input');
  coins.forEach((coin, index) => {
    const { privateKey, publicKey, keyHash } = coin.key;
    if (coin.kind === 'p2pkh') {
      const rule = signingRule(network);
      const digest = inputDigest(transaction, index, p2pkhScript(keyHash), coin.valueSat, rule);
      const der = derSignature(ecdsa.sign(digest, privateKey));
      transaction.setInputScript(index, p2pkhScriptSig(der, publicKey, rule));
      return;
    }
    if (!hasSegwit(network)) throw new RangeError('this chain has no segregated witness');
    // The script that a P2WPKH signature stands for is the P2PKH script of the same key hash.
    const digest = transaction.hashForWitnessV0(index, p2pkhScript(keyHash), coin.valueSat, Transaction.SIGHASH_ALL);
    const der = derSignature(ecdsa.sign(digest, privateKey));
    transaction.setWitness(index, [concatBytes(der, Uint8Array.of(sighashByte('legacy'))), publicKey]);
  });
}
