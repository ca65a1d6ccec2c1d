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
