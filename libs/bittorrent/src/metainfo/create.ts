import createTorrent from 'create-torrent';

export interface CreateMetainfoOptions {
  /** The torrent's name; default the last part of the path. */
  readonly name?: string;
  /** Bytes per piece; default chosen by size. */
  readonly pieceLengthBytes?: number;
  readonly isPrivate?: boolean;
  /** Tracker URLs, one tier each; default none. */
  readonly announce?: readonly string[];
}

/** Hashes a file or folder into the bytes of a .torrent file. Rejects when it cannot be read. */
export function createMetainfo(path: string, options: CreateMetainfoOptions = {}): Promise<Uint8Array> {
  const settings = {
    announceList: (options.announce ?? []).map((url) => [url]),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.pieceLengthBytes === undefined ? {} : { pieceLength: options.pieceLengthBytes }),
    ...(options.isPrivate === undefined ? {} : { private: options.isPrivate }),
  };
  return new Promise((resolve, reject) => {
    createTorrent(path, settings, (error, torrent) => {
      if (error !== null && error !== undefined) reject(error);
      else resolve(torrent);
    });
  });
}
