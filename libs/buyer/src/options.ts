/** What the library is told by a program, whatever its command line looks like. */

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
}

export interface DownloadOptions extends AccessOptions {
  readonly outDir: string;
  readonly peers: readonly PeerAddress[];
  /** Satoshi per piece; the default buyer's price where absent. */
  readonly maxPriceSat: bigint | undefined;
  /** Longest lock of a deposit, in units of 512 s. */
  readonly maxLockUnits: number;
  /** Most satoshi per 1,000 bytes of a funding transaction. */
  readonly maxFeePerKbSat: bigint;
  /** Sellers in one contract. */
  readonly sellers: number;
}
