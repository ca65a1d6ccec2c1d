import { print } from '../measure.js';
import { quantile } from './load.js';
import { send, type Api } from './pages.js';

/** `--page` measures these alone by it. */
export const LONE = 'lone';

/** What one person waits for is more than this. */
const AIM_MS = 100;
const TIMES = 20;

/** Pages that few people look at, so that what matters is how long one of them waits. */
function lonePages(infoHash: string): readonly (readonly [name: string, path: string])[] {
  const month = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
  const channels = (name: string, query: string): [string, string] => [`channels, ${name}`, `/v1/channels?${query}`];
  return [
    channels('newest', 'sort=newest'),
    channels('newest of states that none is in', 'state=settle-rejected&state=refund-seen'),
    channels('open by deadline', 'sort=deadline'),
    channels('open by what is paid', 'sort=exposure'),
    channels('buried by what was paid', 'sort=exposure&state=buried'),
    channels('buried by deadline', 'sort=deadline&state=buried'),
    channels(
      'all that ended, by what was paid',
      'sort=exposure&state=buried&state=returned&state=lost&state=join-expired',
    ),
    channels('of a node, by what is paid', 'sort=exposure&nodeId=bench-7'),
    channels('of a node, buried, by what was paid', 'sort=exposure&state=buried&nodeId=bench-7'),
    channels('of a torrent, by deadline', `sort=deadline&infoHash=${infoHash}`),
    ['the fleet’s lost satoshi explained', '/v1/reports/explain?figure=lostSat'],
    ['the same of the last month', `/v1/reports/explain?figure=lostSat&from=${month}`],
    [
      'a torrent’s revenue of the last month explained',
      `/v1/reports/explain?figure=revenueSat&infoHash=${infoHash}&from=${month}`,
    ],
  ];
}

/** Asks each page some times, one request after the other, and its next page with every second. True when all medians are in the aim. */
export async function measureLonePages(api: Api, infoHash: string): Promise<boolean> {
  print(
    `\n${'asked one at a time'.padEnd(52)} ${['median ms', 'worst ms'].map((title) => title.padStart(10)).join(' ')}`,
  );
  let reached = true;
  for (const [name, path] of lonePages(infoHash)) {
    const times: number[] = [];
    let next = path;
    let failures = 0;
    for (let time = 0; time < TIMES; time += 1) {
      const started = performance.now();
      const { ok, text } = await send(api, 'GET', next);
      times.push(performance.now() - started);
      if (!ok) failures += 1;
      const [, cursor] = /"nextCursor":"([^"]+)"/.exec(text) ?? [];
      next = next === path && cursor !== undefined ? `${path}${path.includes('?') ? '&' : '?'}cursor=${cursor}` : path;
    }
    const sorted = times.sort((a, b) => a - b);
    const median = quantile(sorted, 0.5);
    reached &&= failures === 0 && median < AIM_MS;
    const figures = [median, sorted.at(-1) ?? Number.NaN].map((ms) => ms.toFixed(1).padStart(10)).join(' ');
    print(`${name.padEnd(52)} ${figures}${failures === 0 ? '' : ` ${failures} failed`}`);
  }
  return reached;
}
