import { setTimeout as sleep } from 'node:timers/promises';
import { memberOf, textOf, type ApiClient, type JsonObject } from './api-client.js';
import { Failure } from './failure.js';
import { percent } from './words.js';

const POLL_MS = 300;
/** A node may still tell of a fault that was just mended: it counts once it has stood this long. */
const TROUBLE_STANDS_MS = 4_000;
/** No node takes it up, or a verification does not move. */
const STUCK_MS = 120_000;

const TROUBLE: Readonly<Partial<Record<string, string>>> = {
  missing: 'the content is missing',
  corrupt: 'the content does not match the torrent',
  failed: 'the content can’t be read',
};
/** States that waiting does not end. */
const NOT_SOLD: Readonly<Record<string, string>> = {
  paused: 'the torrent is paused',
  removed: 'the torrent was removed',
  declined: 'at these terms it can’t be sold',
};

/** Time as the waiting sees it. */
export interface Clock {
  nowMs(): number;
  sleep(ms: number): Promise<unknown>;
}

const WALL_CLOCK: Clock = { nowMs: () => Date.now(), sleep: (ms) => sleep(ms) };

/** Waits until a torrent is on sale on a node; fails with the cause when it won't be. */
export async function waitForSale(
  api: Pick<ApiClient, 'call'>,
  added: JsonObject,
  note: (line: string) => void,
  clock: Clock = WALL_CLOCK,
): Promise<JsonObject> {
  let torrent = added;
  let last = '';
  let changedAtMs = clock.nowMs();
  for (;;) {
    const sale = memberOf(torrent, 'sale');
    const state = textOf(sale, 'state');
    if (state === 'on-sale') return torrent;
    const progress = Number(sale?.['progress'] ?? 0);
    const now = `${state} ${progress} ${textOf(sale, 'detail')}`;
    if (now !== last) {
      note(state === 'verifying' || state === 'fetching' ? `${state} ${percent(progress)}` : state);
      last = now;
      changedAtMs = clock.nowMs();
    }
    const standsMs = clock.nowMs() - changedAtMs;
    const detail = textOf(sale, 'detail');
    const why = detail === '' ? '' : `: ${detail}`;
    const final = NOT_SOLD[state];
    if (final !== undefined) throw new Failure('not-on-sale', final + why);
    const trouble = TROUBLE[state];
    if (trouble !== undefined && standsMs >= TROUBLE_STANDS_MS) throw new Failure('not-on-sale', trouble + why);
    if (standsMs >= STUCK_MS) throw new Failure('not-on-sale', `still ${state} after ${STUCK_MS / 1_000} s${why}`);
    await clock.sleep(POLL_MS);
    torrent = await api.call('GET', `/v1/torrents/${textOf(added, 'infoHash')}`);
  }
}
