/**
 * The part of a TCP socket that a connection uses, so that encryption and uTP can stand in for it. Events: `data` with
 * a chunk that the listener may keep and change, `end`, `close`, `error`.
 */
export interface PeerStream {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly destroyed: boolean;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
  off(event: 'end' | 'close', listener: () => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  /** No `data` until `resume`. */
  pause(): unknown;
  resume(): unknown;
  /** `bytes` must not change until `onTaken`, which comes once the system has taken them. */
  write(bytes: Uint8Array, onTaken?: (error?: Error | null) => void): unknown;
  /** Gathers writes until `uncork`. */
  cork(): void;
  uncork(): void;
  /** Ends our direction once everything written has been taken. */
  end(onEnded: () => void): unknown;
  destroy(): unknown;
  /** From now on bytes for which `target` has room come to it instead of as `data`. Not every stream can do that. */
  readInto?(target: ReadTarget): void;
}

/** Memory that a stream may read into. */
export interface ReadTarget {
  /** Where the very next bytes of the stream belong, asked before each read; undefined: nowhere in particular. */
  room(): Uint8Array | undefined;
  /** So many bytes have come, from the beginning of the room. */
  filled(count: number): void;
}
