/** The part of create-torrent 6 that is used; the package ships no types. */
declare module 'create-torrent' {
  interface CreateTorrentOptions {
    name?: string;
    pieceLength?: number;
    private?: boolean;
    announceList?: string[][];
  }
  export default function createTorrent(
    input: string,
    options: CreateTorrentOptions,
    callback: (error: Error | null | undefined, torrent: Uint8Array) => void,
  ): void;
}
