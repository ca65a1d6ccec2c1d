/** What the library is told by a program, whatever its command line looks like. */

import type { Quote } from './events.js';

/** Where a seller listens. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** How the Bitcoin node and the wallet are reached. */
export interface AccessOptions {
  /** URL of the Bitcoin node's RPC, credentials in it or in the cookie file. */
  readonly rpcUrl: string;
  readonly cookieFile: string | undefined;
  /** Folder of keys and contracts. */
  readonly walletDir: string;
  /** Signing rule of the channels; the node's own network where absent. */
  readonly network: string | undefined;
  /** Decrypts the seed; undefined where a key file beside it does, or a first use is to make one. */
  readonly passphrase?: string | undefined;
}

export interface DownloadOptions {
  readonly outDir: string;
  /** Sellers and peers to dial, besides those that are found. */
  readonly peers: readonly PeerAddress[];
  /** Most satoshi per piece; the default buyer's price where absent. */
  readonly maxPriceSat?: bigint | undefined;
  /** Most satoshi per GiB, whatever the piece size. */
  readonly maxPerGibSat?: bigint | undefined;
  /** Most satoshi for all pieces together. */
  readonly maxTotalSat?: bigint | undefined;
  /** Most that the deposits of one contract may add up to; all that is missing, from each seller, where absent. */
  readonly budgetSat?: bigint | undefined;
  /** Most that deposits for this torrent may lock at once, earlier contracts included. */
  readonly maxLockedSat?: bigint | undefined;
  /** Longest lock of a deposit, in units of 512 s. Default 20, about three hours. */
  readonly maxLockUnits?: number | undefined;
  /** Most satoshi per 1,000 bytes of a funding transaction. Default 1,024, as default sellers ask. */
  readonly maxFeePerKbSat?: bigint | undefined;
  /** Sellers in one contract. Default 1. */
  readonly sellers?: number | undefined;
  /** How long to look for sellers, ms. Default one minute. */
  readonly searchMs?: number | undefined;
  /** How long a seller that owes a piece may send nothing before it is dropped, ms. Default one minute. */
  readonly silenceMs?: number | undefined;
  /** Requests that one seller may owe. Default 4; fewer make seeks quicker. */
  readonly maxOpenRequests?: number | undefined;
  /** Whether connections are encrypted (BEP 8 in practice). Default off: not every seller can. */
  readonly encryption?: 'off' | 'prefer' | 'require' | undefined;
  /** Whether pieces are taken from ordinary peers that give them for nothing. Default true. */
  readonly takeFree?: boolean | undefined;
  /** Asked before each contract; without it, everything within the ceilings is bought. */
  readonly approve?: ((quote: Quote) => Promise<boolean>) | undefined;
}
