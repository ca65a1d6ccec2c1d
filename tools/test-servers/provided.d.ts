import 'vitest';

declare module 'vitest' {
  /** Addresses of the servers that `global-setup.mjs` brings. */
  export interface ProvidedContext {
    postgresUrl: string;
    natsUrl: string;
    /** The broker's monitoring endpoint; empty where the environment names a broker without it. */
    natsMonitorUrl: string;
    redisUrl: string;
    rpcUrl: string;
    /** Where the Bitcoin node publishes hints; empty where the environment names a node without it. */
    zmqAddress: string;
  }
}
