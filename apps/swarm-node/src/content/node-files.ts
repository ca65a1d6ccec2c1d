import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What a node keeps on disk so that a restart is quick: .torrent files, and which content was verified. All of it can be
 * fetched or found out again, so an unreadable file counts as absent.
 */
export class NodeFiles {
  private constructor(private readonly folder: string) {}

  /** Creates the folders. Rejects when the disk does not let us. */
  static async open(folder: string): Promise<NodeFiles> {
    await mkdir(join(folder, 'torrents'), { recursive: true });
    await mkdir(join(folder, 'verified'), { recursive: true });
    return new NodeFiles(folder);
  }

  readTorrent(infoHash: string): Promise<Uint8Array | undefined> {
    return readFile(this.torrentPath(infoHash)).catch(() => undefined);
  }

  writeTorrent(infoHash: string, bytes: Uint8Array): Promise<void> {
    return replace(this.torrentPath(infoHash), bytes);
  }

  /** Fingerprint under which the content was found good, if it ever was. */
  readVerified(infoHash: string): Promise<string | undefined> {
    return readFile(this.verifiedPath(infoHash), 'utf8').catch(() => undefined);
  }

  writeVerified(infoHash: string, fingerprint: string): Promise<void> {
    return replace(this.verifiedPath(infoHash), Buffer.from(fingerprint));
  }

  async forgetVerified(infoHash: string): Promise<void> {
    await rm(this.verifiedPath(infoHash), { force: true });
  }

  async forget(infoHash: string): Promise<void> {
    await rm(this.torrentPath(infoHash), { force: true });
    await this.forgetVerified(infoHash);
  }

  private torrentPath(infoHash: string): string {
    return join(this.folder, 'torrents', `${infoHash}.torrent`);
  }

  private verifiedPath(infoHash: string): string {
    return join(this.folder, 'verified', infoHash);
  }
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  await writeFile(temporary, bytes);
  await rename(temporary, path);
}
