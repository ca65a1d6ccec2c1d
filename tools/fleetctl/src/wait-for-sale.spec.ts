import { describe, expect, it } from 'vitest';
import type { JsonObject } from './api-client.js';
import { Failure } from './failure.js';
import { waitForSale } from './wait-for-sale.js';

const torrent = (state: string, detail = '', progress = 0): JsonObject => ({
  infoHash: 'a'.repeat(40),
  sale: { state, detail, progress },
});

/** An API that gives these answers in turn, the last one for ever. */
const answers = (...list: JsonObject[]) => ({
  call: () => Promise.resolve((list.length > 1 ? list.shift() : list[0]) ?? {}),
});

/** Waits with a clock that only waiting moves; resolves to the way, or to the failure's message. */
async function outcome(first: JsonObject, ...later: JsonObject[]): Promise<string> {
  const notes: string[] = [];
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, sleep: (ms: number) => Promise.resolve((nowMs += ms)) };
  try {
    await waitForSale(answers(...later), first, (line) => notes.push(line), clock);
    return `on sale after ${notes.join(', ')}`;
  } catch (thrown) {
    return thrown instanceof Failure ? thrown.message : String(thrown);
  }
}

describe('waiting for a sale', () => {
  it('ends when the torrent is on sale, noting the way', async () => {
    const end = await outcome(torrent('waiting'), torrent('verifying', '', 0.5), torrent('on-sale'));
    expect(end).toBe('on sale after waiting, verifying 50 %');
  });

  it('outlives a fault that the node is about to forget', async () => {
    const end = await outcome(
      torrent('waiting'),
      torrent('missing', 'no file'),
      torrent('verifying'),
      torrent('on-sale'),
    );
    expect(end).toMatch(/^on sale/);
  });

  it.each([
    [torrent('missing', 'no file at /x'), 'the content is missing: no file at /x'],
    [torrent('corrupt', 'piece 3'), 'the content does not match the torrent: piece 3'],
    [torrent('failed'), 'the content can’t be read'],
    [torrent('declined', 'too cheap'), 'at these terms it can’t be sold: too cheap'],
    [torrent('paused'), 'the torrent is paused'],
    [torrent('waiting', 'no node'), 'still waiting after 120 s: no node'],
  ])('fails with the cause: %j', async (last, message) => {
    expect(await outcome(torrent('waiting'), last)).toBe(message);
  });
});
