import type { Network } from '@seedfleet/payment-channel';
import { LAST_COLD_INDEX, readColdWallet, scriptOfAddress, type ColdWalletError } from '@seedfleet/wallet';

/** The operator's own wallet, as the configuration names it: one address, or the public key of an account. */
export interface Destination {
  /** Tells it from every other, for the database. */
  readonly id: string;
  /** For people. */
  readonly label: string;
  /** The first address that is used of an account; null where there is one address for all. */
  readonly firstIndex: number | null;
  /** Undefined where the wallet has no such address. */
  address(index: number | null): string | undefined;
  script(index: number | null): Uint8Array | undefined;
}

/** Variables of the operator's own wallet. */
export interface DestinationConfig {
  readonly TREASURY_ADDRESS?: string | undefined;
  readonly TREASURY_XPUB?: string | undefined;
  readonly TREASURY_FIRST_INDEX: number;
}

/** A mistake in one of the variables. */
export interface DestinationFault {
  readonly variable: 'TREASURY_ADDRESS' | 'TREASURY_XPUB' | 'TREASURY_FIRST_INDEX';
  readonly message: string;
}

const WHY: Readonly<Record<ColdWalletError, string>> = {
  'not-understood': 'no extended public key, and no descriptor of one as wpkh(KEY/0/*)',
  'private-key': 'a private key: put the public one here, and change the wallet that this one was of',
  'wrong-network': 'a key of another network',
  'wrong-depth': "not the key of an account, as m/84'/0'/0' is",
  'wrong-kind': 'only P2PKH and, where the chain has it, P2WPKH are paid to',
  'wrong-checksum': 'its checksum is another: a character is wrong',
};

/** The wallet of the configuration; null where none is named. */
export function destinationOf(
  { TREASURY_ADDRESS: address, TREASURY_XPUB: key, TREASURY_FIRST_INDEX: firstIndex }: DestinationConfig,
  network: Network,
): Destination | DestinationFault | null {
  if (address !== undefined && key !== undefined) {
    return { variable: 'TREASURY_XPUB', message: 'TREASURY_ADDRESS is set too: earnings go to one of them' };
  }
  if (address !== undefined) {
    const script = scriptOfAddress(address, network);
    if (script === undefined) return { variable: 'TREASURY_ADDRESS', message: `no address of ${network}` };
    return {
      id: `address:${address}`,
      label: address,
      firstIndex: null,
      address: (index) => (index === null ? address : undefined),
      script: (index) => (index === null ? script : undefined),
    };
  }
  if (key === undefined) return null;
  if (firstIndex > LAST_COLD_INDEX) return { variable: 'TREASURY_FIRST_INDEX', message: `at most ${LAST_COLD_INDEX}` };
  const read = readColdWallet(key, network);
  if (!read.ok) return { variable: 'TREASURY_XPUB', message: WHY[read.code] };
  const { id, label, address: addressAt, script } = read.wallet;
  const isOf = (index: number | null): index is number =>
    index !== null && Number.isInteger(index) && index >= firstIndex && index <= LAST_COLD_INDEX;
  return {
    id,
    label,
    firstIndex,
    address: (index) => (isOf(index) ? addressAt(index) : undefined),
    script: (index) => (isOf(index) ? script(index) : undefined),
  };
}

export const isFault = (found: Destination | DestinationFault | null): found is DestinationFault =>
  found !== null && 'variable' in found;
