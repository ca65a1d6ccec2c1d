import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

/** A torrent with its content on disk. */
export interface Specimen {
  readonly title: string;
  readonly torrentFile: string;
  readonly contentFile: string;
  /** The name that a download of it gets. */
  readonly fileName: string;
}

/** By its path: the package exports nothing but a module that reads every fixture into memory. */
const FIXTURES = fileURLToPath(new URL('../../../../node_modules/webtorrent-fixtures/fixtures', import.meta.url));

/** Walt Whitman's "Leaves of Grass", in the public domain, as the npm package webtorrent-fixtures carries it. */
export function leavesOfGrass(): Specimen {
  const fileName = 'Leaves of Grass by Walt Whitman.epub';
  return {
    title: 'Leaves of Grass',
    torrentFile: join(FIXTURES, 'leaves.torrent'),
    contentFile: join(FIXTURES, fileName),
    fileName,
  };
}

/** SHA-256 of a file, hexadecimal. */
export async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
