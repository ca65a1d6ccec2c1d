import { readFile } from 'node:fs/promises';
import { parseMetainfo, type Metainfo } from '@seedfleet/bittorrent';
import { BuyerError, ExitCode } from '../failure.js';

/** Reads a .torrent file. Throws `BuyerError` with exit code 2 that names what is wrong with it. */
export async function readTorrent(path: string): Promise<Metainfo> {
  const bytes = await readFile(path).catch((failure: NodeJS.ErrnoException) => {
    throw new BuyerError(
      ExitCode.usage,
      'torrent-unreadable',
      `${path} can't be read: ${failure.code ?? failure.message}`,
    );
  });
  return torrentOf(bytes, path);
}

/** Checks the bytes of a torrent that came from `origin`. Throws as `readTorrent` does. */
export function torrentOf(bytes: Uint8Array, origin: string): Metainfo {
  const parsed = parseMetainfo(bytes);
  if (parsed.ok) return parsed.value;
  const { code, detail } = parsed.error;
  throw new BuyerError(ExitCode.usage, code, `${origin} is no torrent that can be bought: ${code} (${detail})`);
}
