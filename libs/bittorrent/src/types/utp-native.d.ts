/** The part of utp-native 2 that is used; the package ships no types. Loaded by `require`, because it may not install. */
declare module 'utp-native' {
  import type { EventEmitter } from 'node:events';
  import type { Duplex } from 'node:stream';

  class UtpConnection extends Duplex {
    readonly remoteAddress: string;
    readonly remotePort: number;
  }

  class Utp extends EventEmitter {
    constructor(options: { allowHalfOpen: boolean });
    readonly connections: readonly UtpConnection[];
    bind(port: number, host: string, onListening: () => void): void;
    firewall(closed: boolean): void;
    connect(port: number, host: string): UtpConnection;
    send(bytes: Uint8Array, offset: number, length: number, port: number, host: string, done: () => void): void;
    address(): { address: string; port: number };
    /** Lets the process end although the port is open. */
    unref(): void;
    close(done?: () => void): void;
  }
  namespace Utp {
    export { Utp as Socket, UtpConnection as Connection };
  }
  export = Utp;
}
