import { networks } from 'bitcoinjs-lib';
import type { Network as AddressParameters } from 'bitcoinjs-lib';

/** The six network names of the payment channel specification §3. A deployment chooses one; the wire never names it. */
export const NETWORKS = [
  'mainnet',
  'testnet3',
  'regtest',
  'mainnet_bitcoin_cash',
  'testnet_bitcoin_cash',
  'regtest_bitcoin_cash',
] as const;

export type Network = (typeof NETWORKS)[number];

/**
 * How an input is hashed for signing.
 * - `legacy`: the digest from before segregated witness, type ALL.
 * - `forkid`: the digest of BIP 143, type ALL|FORKID with fork id 0, as on Bitcoin Cash. It commits to the amount spent.
 */
export type SigningRule = 'legacy' | 'forkid';

export function isNetwork(name: string): name is Network {
  return (NETWORKS as readonly string[]).includes(name);
}

export function signingRule(network: Network): SigningRule {
  return network.endsWith('_bitcoin_cash') ? 'forkid' : 'legacy';
}

export function otherRule(rule: SigningRule): SigningRule {
  return rule === 'legacy' ? 'forkid' : 'legacy';
}

/** The byte that follows a DER signature in a script: ALL (`01`) or ALL|FORKID (`41`). Never part of the wire message. */
export function sighashByte(rule: SigningRule): 0x01 | 0x41 {
  return rule === 'legacy' ? 0x01 : 0x41;
}

/** Whether the chain has pay-to-witness outputs. The Bitcoin Cash chains do not. */
export function hasSegwit(network: Network): boolean {
  return signingRule(network) === 'legacy';
}

/** Address and key version bytes of a network. The Bitcoin Cash chains share them with their Bitcoin twins. */
export function addressParameters(network: Network): AddressParameters {
  switch (network) {
    case 'mainnet':
    case 'mainnet_bitcoin_cash':
      return networks.bitcoin;
    case 'testnet3':
    case 'testnet_bitcoin_cash':
      return networks.testnet;
    case 'regtest':
    case 'regtest_bitcoin_cash':
      return networks.regtest;
  }
}
