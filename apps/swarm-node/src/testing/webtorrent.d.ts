/** The part of webtorrent that a test uses as an ordinary neighbour; the package ships no types. */
declare module 'webtorrent' {
  interface Torrent {
    readonly downloaded: number;
    readonly infoHash: string;
    readonly name: string;
    readonly numPeers: number;
    addPeer(address: string): boolean;
    on(event: 'wire', listener: (wire: { readonly peerChoking: boolean }) => void): void;
  }
  export default class WebTorrent {
    constructor(options: {
      dht: boolean;
      tracker: boolean;
      lsd: boolean;
      utp: boolean;
      secure: number;
      natUpnp?: boolean;
      natPmp?: boolean;
    });
    /** Takes a torrent file or a magnet link; `ready` comes once the metadata is there. */
    add(torrent: Uint8Array | string, options: { path: string }, ready: (torrent: Torrent) => void): void;
    destroy(done: () => void): void;
  }
}
