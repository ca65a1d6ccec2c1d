/**
 * The part of bittorrent-dht 11 that is used; the package ships no types. `_peers` is its store of announced peers:
 * reached into because its answers are otherwise as long as that store.
 */
declare module 'bittorrent-dht' {
  import type { EventEmitter } from 'node:events';

  interface DhtOptions {
    /** False: joins through nodes that are added by hand. */
    bootstrap: false;
    /** What stands in for a UDP socket. */
    socket: EventEmitter;
    /** Queries in flight at once. */
    concurrency: number;
    /** How long announced peers are kept, ms. */
    maxAge: number;
    /** Most announced peers kept. */
    maxPeers: number;
    /** Most values of BEP 44 kept. */
    maxValues: number;
  }

  export default class DHT extends EventEmitter {
    constructor(options: DhtOptions);
    readonly nodeId: Buffer;
    readonly nodes: { toArray(): { host: string; port: number }[] };
    protected readonly _peers: { get(hash: string, most?: number): Buffer[] };
    addNode(node: { host: string; port: number }): void;
    /** Visits the nodes closest to a hash; peers come as events. */
    lookup(hash: Buffer, done: (error: Error | null) => void): () => void;
    /** Tells the nodes that the last lookup of the hash visited. */
    announce(hash: Buffer, port: number, done: (error: Error | null) => void): void;
    destroy(done?: () => void): void;
  }
}
