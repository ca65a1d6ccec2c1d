import { chromium, type Page } from 'playwright-core';
import { print } from '../measure.js';
import { quantile } from './load.js';
import { send, type Api } from './pages.js';

/** What is shown within a second does not interrupt a thought (Miller 1968). */
const AIM_MS = 1_000;
const VISITS = 5;
/** A step that shows nothing by then has failed. */
const LIMIT_MS = 60_000;
const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/**
 * Opens every page of the dashboard in a real Chromium, and times each step from the click until nothing is asked any more
 * and nothing says that it waits. True when every step's median was within the aim.
 */
export async function dashboard(api: Api, infoHash: string): Promise<boolean> {
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(LIMIT_MS);
    await page.addInitScript(COUNT_QUESTIONS);
    await page.goto(`${api.url}/#key=${encodeURIComponent(api.key)}`);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await shown(page);
    print(`${'step'.padEnd(44)} ${['first ms', 'median ms', 'worst ms'].map((title) => title.padStart(10)).join(' ')}`);
    let reached = true;
    for (const [name, path, button] of await steps(api, infoHash)) {
      const times: number[] = [];
      for (let visit = 0; visit < VISITS; visit += 1) times.push(await timed(page, path, button));
      const sorted = [...times].sort((a, b) => a - b);
      const median = quantile(sorted, 0.5);
      reached &&= median < AIM_MS;
      const figures = [times[0] ?? Number.NaN, median, sorted.at(-1) ?? Number.NaN];
      print(`${name.padEnd(44)} ${figures.map((ms) => ms.toFixed(0).padStart(10)).join(' ')}`);
    }
    return reached;
  } finally {
    await browser.close();
  }
}

type Step = readonly [name: string, path: string, button?: string];

async function steps(api: Api, infoHash: string): Promise<readonly Step[]> {
  const channels = (await send(api, 'GET', '/v1/channels?limit=1&state=buried')).text;
  const [, channelId = ''] = /"id":"([0-9a-f-]{36})"/.exec(channels) ?? [];
  const sorts = (page: string, names: readonly string[]): Step[] =>
    names.map((sort) => [`${page}, by ${sort}`, `/${page}?sort=${sort}`]);
  return [
    ['overview', '/'],
    ...sorts('revenue', ['revenue', 'channels', 'buried', 'collectable', 'lost']),
    ['revenue, searched: river', '/revenue?search=river'],
    ['revenue, searched: 77', '/revenue?search=77'],
    ['revenue, next page', '/revenue', 'Next →'],
    ...sorts('torrents', ['newest', 'name', 'dearest', 'cheapest', 'largest', 'smallest']),
    ['torrents, searched: river', '/torrents?search=river'],
    ['torrents, paused', '/torrents?state=paused'],
    ['torrents, next page', '/torrents', 'Next →'],
    ['torrent', `/torrents/${infoHash}`],
    ['torrent, revenue explained', `/torrents/${infoHash}?explain=revenueSat`],
    ...sorts('channels', ['newest', 'deadline', 'exposure']),
    ['channels, funded', '/channels?state=funded'],
    ['channels, buried by exposure', '/channels?state=buried&sort=exposure'],
    ['channels of a node', '/channels?nodeId=bench-7'],
    ['channels of a torrent', `/channels?infoHash=${infoHash}`],
    ['channels, next page', '/channels', 'Next →'],
    ['channel', `/channels/${channelId}`],
    ['nodes', '/nodes'],
    ['settlement', '/settlement'],
    ['settlement, in trouble', '/settlement?view=trouble'],
    ['settlement, buried', '/settlement?view=buried'],
    ['add torrents', '/torrents/add'],
    ['alerts', '/alerts'],
    ['settings, keys', '/settings/keys'],
    ['settings, webhooks', '/settings/webhooks'],
    ['settings, audit log', '/settings/audit'],
  ];
}

/** From the step until its content is there. A button is pressed once its page is. */
async function timed(page: Page, path: string, button: string | undefined): Promise<number> {
  await go(page, '/settings/nowhere');
  await shown(page);
  if (button !== undefined) {
    await go(page, path);
    await shown(page);
  }
  const started = performance.now();
  if (button === undefined) await go(page, path);
  else await page.getByRole('button', { name: button }).first().click();
  await shown(page);
  return performance.now() - started;
}

/** As a link within the page would. */
const go = (page: Page, path: string): Promise<unknown> =>
  page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)}); dispatchEvent(new PopStateEvent('popstate'))`);

/** Two frames without an open question or a word that says that something is awaited. */
const shown = (page: Page): Promise<unknown> =>
  page.evaluate(`new Promise((resolve, reject) => {
    const late = performance.now() + ${LIMIT_MS};
    let calm = 0;
    const look = () => {
      const waits = window.openQuestions > 0 || /Asking the fleet…|Drawing…/.test(document.body.innerText);
      calm = waits ? 0 : calm + 1;
      if (calm > 2) resolve();
      else if (performance.now() > late) reject(new Error('not shown: ' + location.href));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  })`);

const COUNT_QUESTIONS = `
  window.openQuestions = 0;
  const ask = window.fetch;
  window.fetch = async (...args) => {
    window.openQuestions += 1;
    try {
      const answer = await ask(...args);
      const whole = await answer.clone().text();
      return whole === undefined ? undefined : answer;
    } finally {
      window.openQuestions -= 1;
    }
  };`;
