import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure } from './failure.js';
import type { Output } from './output.js';
import { callersFolder } from './target.js';

/** Writes what was downloaded to a file as the caller sees it, or to standard output. Throws a failure. */
export async function writeTo(
  body: ReadableStream<Uint8Array>,
  out: string | undefined,
  output: Output,
): Promise<void> {
  const path = out === undefined ? undefined : resolve(callersFolder(), out);
  const target = path === undefined ? process.stdout : createWriteStream(path);
  try {
    await pipeline(Readable.fromWeb(body), target, { end: path !== undefined });
  } catch (thrown) {
    throw new Failure('file-unwritable', `it was not written: ${(thrown as Error).message}`);
  }
  if (path !== undefined) output.note(`written to ${path}`);
}
