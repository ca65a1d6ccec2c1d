import { createHash } from 'node:crypto';
import { stat, type BigIntStats } from 'node:fs';
import type { ContentLocation } from '@seedfleet/bittorrent';

/**
 * A short text that changes when any file of the content is replaced, grown, cut or rewritten: size, inode and time of
 * change. It spares reading terabytes again after a restart; each piece is still hash-checked when it is read.
 */
export async function contentFingerprint(location: ContentLocation): Promise<string> {
  const hash = createHash('sha256');
  for (const file of location.files) {
    if (file.padding) continue;
    const found = await statOf(file.path);
    hash.update(found === undefined ? '-' : `${found.size}/${found.ino}/${found.mtimeNs}/${found.ctimeNs}`);
    hash.update(`\0${file.path}\0`);
  }
  return hash.digest('hex');
}

/** By callback: a restart looks at thousands of files, and the promises of `fs` cost the event loop more than the look. */
function statOf(path: string): Promise<BigIntStats | undefined> {
  return new Promise((resolve) => {
    stat(path, { bigint: true }, (error, found) => resolve(error === null ? found : undefined));
  });
}
