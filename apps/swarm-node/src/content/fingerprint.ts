import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { ContentLocation } from '@seedfleet/bittorrent';

/**
 * A short text that changes when any file of the content is replaced, grown, cut or rewritten: size, inode and time of
 * change. It spares reading terabytes again after a restart; each piece is still hash-checked when it is read.
 */
export async function contentFingerprint(location: ContentLocation): Promise<string> {
  const hash = createHash('sha256');
  for (const file of location.files) {
    if (file.padding) continue;
    const found = await stat(file.path, { bigint: true }).catch(() => undefined);
    hash.update(found === undefined ? '-' : `${found.size}/${found.ino}/${found.mtimeNs}/${found.ctimeNs}`);
    hash.update(`\0${file.path}\0`);
  }
  return hash.digest('hex');
}
