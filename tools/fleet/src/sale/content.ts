import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** A torrent with its content on disk. */
export interface Specimen {
  readonly title: string;
  readonly torrentFile: string;
  readonly contentFile: string;
  /** The name that a download of it gets. */
  readonly fileName: string;
}

/** Walt Whitman's "Leaves of Grass", in the public domain, as the npm package webtorrent-fixtures carries it. */
export function leavesOfGrass(): Specimen {
  const folder = join(dirname(createRequire(import.meta.url).resolve('webtorrent-fixtures')), 'fixtures');
  const fileName = 'Leaves of Grass by Walt Whitman.epub';
  return {
    title: 'Leaves of Grass',
    torrentFile: join(folder, 'leaves.torrent'),
    contentFile: join(folder, fileName),
    fileName,
  };
}

/** SHA-256 of a file, hexadecimal. */
export async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
