import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeHeartbeat, nodeRegister, seedingReport } from '@seedfleet/bus';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import { findChromium, launchChromium } from '../testing/chromium.js';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { takeScreenshot } from '../testing/screenshot.js';
import { torrentFile } from '../testing/torrent-file.js';

const built = existsSync(fileURLToPath(new URL('../../../dashboard/dist/index.html', import.meta.url)));
const executable = findChromium();
const missing =
  executable === undefined
    ? 'no Chromium on this machine (install one or set CHROMIUM)'
    : built
      ? undefined
      : 'the dashboard is not built (npm run build -w @seedfleet/dashboard)';
if (missing !== undefined) console.warn(`SKIPPED: the dashboard in a real Chromium: ${missing}`);

const sintel = torrentFile('Sintel', { pieceLength: 131_072, pieceCount: 987 });
const channelId = randomUUID();

describe.skipIf(missing !== undefined)('the dashboard in a real Chromium', () => {
  let api: RunningMarketApi;
  let browser: Browser;
  const faults: string[] = [];

  beforeAll(async () => {
    api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
    await sellSomething(api);
    browser = await launchChromium(executable ?? '');
  });
  afterAll(async () => {
    await browser.close();
    await api.stop();
  });
  afterEach(() => {
    // Neither errors nor violations of the content security policy, nor anything asked of another server.
    expect(faults.splice(0)).toEqual([]);
  });

  const open = async (options: BrowserContextOptions = {}, path = `/#key=${api.key}`): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('request', (asked) => {
      if (!asked.url().startsWith(api.url)) faults.push(`asked ${asked.url()}`);
    });
    await page.goto(api.url + path);
    return page;
  };
  const revenue = (page: Page) => page.getByRole('table', { name: /Revenue per torrent/ });
  const channels = (page: Page) => page.getByRole('table', { name: /Channels/ });

  it('takes the key out of the address and shows what was earned, and by which channel', async () => {
    const page = await open();
    const row = revenue(page).getByRole('row', { name: /Sintel.*6,909/ });
    await row.waitFor();
    expect(new URL(page.url()).hash).toBe('');
    expect((await row.innerText()).replace(/\s+/g, ' ')).toMatch(/on sale 7 1 987 6,909 0 0 6,459 450/);
    await page.getByRole('region', { name: 'Revenue of the fleet' }).getByText('6,459').waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByText('127.0.0.1:7881').waitFor();
    await channels(page).getByText('987 of 987').waitFor();
    await page.context().close();
  });

  it('opens a channel’s story by keyboard', async () => {
    const page = await open();
    const opener = channels(page).getByRole('button', { name: channelId.slice(0, 8) });
    await opener.focus();
    await page.keyboard.press('Enter');
    await channels(page).getByText('became buried').waitFor();
    expect(await opener.getAttribute('aria-expanded')).toBe('true');
    await channels(page).getByText('c'.repeat(64)).waitFor();
    await page.context().close();
  });

  it('follows the fleet without reloading', async () => {
    const page = await open();
    await revenue(page)
      .getByRole('row', { name: /Sintel/ })
      .waitFor();
    await storeChannels(api.admin, [channelRow({ infoHash: sintel.infoHash, state: 'funded', k: 200n })]);
    await channels(page).getByText('200 of 987').waitFor({ timeout: 10_000 });
    await revenue(page).getByText('8,309').first().waitFor({ timeout: 10_000 });
    await page.context().close();
  });

  it('asks for a key, says when it is wrong, and forgets it on signing out', async () => {
    const page = await open({}, '/');
    const field = page.getByLabel('API key');
    await field.fill('sfk_wrong');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('alert').getByText('does not know this key').waitFor();
    // Chromium itself logs the refusal.
    expect(faults.splice(0)).toEqual([expect.stringContaining('401')]);
    await field.fill(api.key);
    await page.keyboard.press('Enter');
    await revenue(page).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await field.waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    await page.context().close();
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('is readable in %s on %i pixels', async (colorScheme, width) => {
    const page = await open({ colorScheme, viewport: { width, height: 800 } });
    await channels(page).getByText('987 of 987').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    expect(await page.evaluate(LOW_CONTRAST)).toEqual([]);
    expect(await page.evaluate(NAMELESS)).toEqual([]);
    await page.context().close();
  });

  it('can be photographed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seedfleet-dashboard-'));
    try {
      const path = join(folder, 'dashboard.png');
      await takeScreenshot({ url: api.url, key: api.key, path, colours: 'light', widthPx: 1280, heightPx: 800 });
      expect(statSync(path).size).toBeGreaterThan(20_000);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** A node that sells one torrent, and a channel that paid for all of it. */
async function sellSomething(api: RunningMarketApi): Promise<void> {
  const { infoHash, base64 } = sintel;
  const body = { metainfo: base64, contentPath: '/srv/sintel' };
  await request(api.url).post('/v1/torrents').set('authorization', `Bearer ${api.key}`).send(body).expect(201);
  const bus = await api.busOf('swarm-node');
  const node = { nodeId: 'node-1', peerAddress: '127.0.0.1:7881' };
  await bus.request(nodeRegister, { ...node, version: '0.1.0' });
  await bus.request(seedingReport, {
    nodeId: node.nodeId,
    reports: [{ infoHash, state: 'on-sale', progress: 1, detail: '' }],
  });
  const stats = { connections: 1, activeChannels: 1, joinedChannels: 0, piecesSold: 987, bytesSold: 129_368_064 };
  const beat = () => bus.publish(nodeHeartbeat, [], { ...node, ...stats, exposureBytes: 0, draining: false });
  beat();
  setInterval(beat, 5_000).unref();
  const sold = channelRow({
    id: channelId,
    infoHash,
    state: 'buried',
    k: 987n,
    frozenK: 987n,
    fundingTxid: 'f'.repeat(64),
    fundingVout: 0,
    settlementTxid: 'c'.repeat(64),
    settlementConfirmations: 6,
  });
  await storeChannels(
    api.admin,
    [sold],
    ['joined', 'funding-seen', 'funded', 'closing', 'settling', 'settled', 'buried'],
  );
}

/** Runs in the page: texts whose contrast to their ground is below 4.5:1 (WCAG 2.2, 1.4.3). */
const LOW_CONTRAST = `(() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const groundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(at).backgroundColor);
      if (a > 0) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.body.querySelectorAll('*')) {
    const text = [...element.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join('');
    if (text === '' || element.closest('noscript') || !element.checkVisibility()) continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(groundOf(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(text + ' ' + ratio.toFixed(2));
  }
  return found;
})()`;

/** Runs in the page: controls without a name, and tables without a caption. */
const NAMELESS = `[...document.querySelectorAll('button, input, select, table')]
  .filter((e) => !(e.getAttribute('aria-label') || e.labels?.length || e.caption || e.textContent.trim()))
  .map((e) => e.outerHTML)`;
