/**
 * The part of bittorrent-protocol 5 that is used; the package ships no types. `_write`, `_push` and
 * `_sendExtendedHandshake` are its seams between parser, stream and BEP 10.
 */
declare module 'bittorrent-protocol' {
  import type { EventEmitter } from 'node:events';

  export default class Wire extends EventEmitter {
    constructor(type?: string, peEnabled?: number);
    readonly peerPieces: { get(index: number): boolean };
    readonly hasFast: boolean;
    readonly amInterested: boolean;
    readonly peerInterested: boolean;
    readonly amChoking: boolean;
    readonly peerChoking: boolean;
    readonly peerExtensions: { readonly dht?: boolean; readonly fast?: boolean; readonly extended?: boolean };
    handshake(infoHash: string, peerId: Uint8Array, extensions: { dht?: boolean; fast?: boolean }): void;
    bitfield(bits: Uint8Array): void;
    /** Begins an encrypted handshake, where `peEnabled` was given. */
    startEncryption(infoHash: string): void;
    /** Names the torrent that the peer's encrypted handshake meant. */
    setInfoHash(infoHash: string): void;
    haveAll(): void;
    haveNone(): void;
    have(index: number): void;
    choke(): void;
    unchoke(): void;
    reject(index: number, offset: number, length: number): void;
    interested(): void;
    uninterested(): void;
    keepAlive(): void;
    setKeepAlive(enable: boolean): void;
    end(data?: Uint8Array): unknown;
    destroy(): unknown;
    protected _write(data: Uint8Array, done: (error: Error | null) => void): void;
    protected _push(data: Uint8Array): boolean | undefined;
    protected _sendExtendedHandshake(): void;
  }
}
