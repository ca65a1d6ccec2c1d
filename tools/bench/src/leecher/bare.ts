import { join } from 'node:path';
import { Child } from '../machine/child.js';

const SENDER = new URL('./bare-sender.js', import.meta.url);
const SINK = new URL('./bare-sink.js', import.meta.url);
const START_MS = 120_000;

/** What receiving alone took, without protocol or payment. */
export interface BareRun {
  readonly seconds: number;
  readonly bytes: number;
  readonly cpuSeconds: number;
}

/** Receives as much as the content from so many processes; with `stores` every piece is hashed and written as well. */
export async function receiveBare(
  folder: string,
  contentPath: string,
  sizes: { readonly pieceBytes: number; readonly totalBytes: number },
  senders: number,
  stores: boolean,
): Promise<BareRun> {
  const children = Array.from(
    { length: senders },
    (_, index) =>
      new Child<never, { address: string }>(SENDER, [contentPath, `${sizes.pieceBytes}`, `127.0.0.${index + 1}`]),
  );
  try {
    const started = await Promise.all(children.map((child) => child.next(START_MS)));
    const file = stores ? { file: join(folder, 'bare.bin') } : {};
    const order = { addresses: started.map(({ address }) => address), ...sizes, ...file };
    const sink = new Child<never, BareRun>(SINK, [JSON.stringify(order)]);
    try {
      return await sink.next(START_MS);
    } finally {
      await sink.end();
    }
  } finally {
    await Promise.all(children.map((child) => child.end()));
  }
}
