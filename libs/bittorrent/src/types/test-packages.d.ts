/** Parts of untyped packages that only tests use. */
declare module 'parse-torrent' {
  export default function parseTorrent(input: Uint8Array): Promise<{
    infoHash: string;
    name: string;
    pieceLength: number;
    lastPieceLength: number;
    length: number;
    pieces: string[];
    announce: string[];
    files: { path: string; offset: number; length: number }[];
  }>;
}

declare module 'webtorrent-fixtures' {
  interface Fixture {
    readonly contentPath: string;
    readonly torrentPath: string;
  }
  type Name = 'leaves' | 'alice' | 'numbers' | 'lotsOfNumbers' | 'folder' | 'sintel' | 'bunny' | 'corrupt';
  const fixtures: Readonly<Record<Name, Fixture>>;
  export default fixtures;
}

declare module 'bittorrent-tracker' {
  import type { EventEmitter } from 'node:events';
  import type { AddressInfo } from 'node:net';

  export class Server extends EventEmitter {
    constructor(options: { http?: boolean; udp?: boolean; ws?: boolean; stats?: boolean; interval?: number });
    readonly http: { address(): AddressInfo } | null;
    readonly udp4: { address(): AddressInfo } | null;
    readonly torrents: Record<string, { complete: number; incomplete: number }>;
    listen(port: number, hostname: { http: string; udp: string; udp6: string }, onListening: () => void): void;
    close(done: () => void): void;
  }
}
