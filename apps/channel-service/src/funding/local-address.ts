import type { Network } from '@seedfleet/payment-channel';

/** Whether limits per address and subnet skip this peer: a test buyer on this machine, on regtest. */
export function isLocalPeer(address: string, network: Network): boolean {
  if (network !== 'regtest' && network !== 'regtest_bitcoin_cash') return false;
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}
