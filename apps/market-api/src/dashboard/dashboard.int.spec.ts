import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { violations } from '../testing/accessibility.js';
import { channelRow, storeChannels } from '../testing/channel-rows.js';
import type { DemoFleet } from '../testing/demo-fleet.js';
import type { RunningMarketApi } from '../testing/market-api.js';
import { heading, missing, openDashboard, settled, type OpenDashboard } from '../testing/open-dashboard.js';
import { takeScreenshot } from '../testing/screenshot.js';

/** Where pictures of all pages go; nowhere by default. */
const pictures = process.env['DASHBOARD_PICTURES'];
/** These are shown in dark colours. */
const DARK_PICTURES = new Set(['settlement', 'channel']);

describe.skipIf(missing !== undefined)('the dashboard in a real Chromium', () => {
  let dashboard: OpenDashboard;
  let api: RunningMarketApi;
  let fleet: DemoFleet;

  beforeAll(async () => {
    dashboard = await openDashboard(inject('postgresUrl'), inject('natsUrl'));
    ({ api, fleet } = dashboard);
  });
  afterAll(() => dashboard.stop());
  afterEach(() => {
    expect(dashboard.faults.splice(0)).toEqual([]);
  });
  const open: OpenDashboard['open'] = (...how) => dashboard.open(...how);

  it('signs in with a key, says when it is wrong, and forgets everything on signing out', async () => {
    const page = await open('/', {}, null);
    const field = page.getByLabel('API key');
    await field.fill(`sfk_${'x'.repeat(43)}`);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('does not know this key').waitFor();
    expect(await violations(page)).toEqual([]);
    // Chromium itself logs the refusal.
    expect(dashboard.faults.splice(0)).toEqual([expect.stringContaining('401')]);
    await field.fill(api.key);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await heading(page, 'Overview');
    expect(
      await page.evaluate('document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })'),
    ).not.toContain('sfk_');
    await page.reload();
    await heading(page, 'Overview');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await field.waitFor();
    expect((await page.context().cookies()).map(({ name }) => name)).toEqual([]);
    await page.context().close();
  });

  it('takes the key out of a link, and goes from page to page without loading anew', async () => {
    const page = await open();
    await heading(page, 'Overview');
    expect(new URL(page.url()).hash).toBe('');
    await page.evaluate('window.stillHere = true');
    const navigation = page.getByRole('navigation', { name: 'Pages' });
    const places = [
      'Revenue',
      'Torrents',
      'Channels',
      'Nodes',
      'Settlement',
      'Treasury',
      'Alerts',
      'Settings',
      'Overview',
    ];
    for (const name of places) {
      await navigation.getByRole('link', { name }).click();
      await heading(page, name);
      expect(await page.title()).toBe(`${name} · Seedfleet`);
    }
    await page.goBack();
    await heading(page, 'Settings');
    expect(await page.evaluate('window.stillHere')).toBe(true);
    await page.context().close();
  });

  it('lists earners by any figure, and explains one down to its channels', async () => {
    const page = await open('/revenue');
    const table = page.getByRole('table', { name: /Revenue per torrent/ });
    await table.getByRole('row').nth(3).waitFor();
    await page.getByRole('searchbox', { name: 'Search torrents' }).fill('sintel');
    await table.getByRole('row', { name: /Sintel/ }).waitFor();
    await table.getByRole('row', { name: /Nosferatu/ }).waitFor({ state: 'detached' });
    expect(page.url()).toContain('search=sintel');
    await table
      .getByRole('link', { name: /^[\d,]+$/ })
      .nth(1)
      .click();
    await heading(page, 'Sintel');
    const parts = page.getByRole('table', { name: 'Channels that make up: Collected' });
    await parts.getByText('the same as in the books').waitFor();
    await parts.getByRole('link').first().click();
    await heading(page, /Channel [0-9a-f]{8}/);
    await page.getByText('six blocks').waitFor();
    await page.context().close();
  });

  it('adds up revenue by label, node and buyer, in a period, and offers the same as a file', async () => {
    const page = await open('/revenue');
    const total = (
      await request(api.url).get('/v1/reports/total').set('authorization', `Bearer ${api.key}`).expect(200)
    ).body as { profit: { profitSat: string } };
    const profit = Number(total.profit.profitSat).toLocaleString('en').replace('-', '−');
    await page.getByRole('row', { name: new RegExp(`All torrents.*${profit}`) }).waitFor();
    for (const name of ['Nodes', 'Buyers', 'Labels']) {
      await page.getByRole('button', { name, exact: true }).click();
      await page.getByRole('table', { name: `Revenue per ${name.slice(0, -1).toLowerCase()}, in satoshi` }).waitFor();
    }
    await page.getByRole('button', { name: 'Torrents', exact: true }).click();
    const today = new Date().toISOString().slice(0, 10);
    await page.getByRole('textbox', { name: 'To', exact: true }).fill('2020-01-31');
    await page.getByRole('row', { name: /Nosferatu/ }).waitFor({ state: 'detached' });
    await page.getByRole('textbox', { name: 'To', exact: true }).fill(today);
    await page.getByRole('row', { name: /Sintel/ }).waitFor();
    const file = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
    expect(file).toBe(`/v1/reports/export?of=torrents&format=csv&to=${today}`);
    const fetched = await page.evaluate<string>(`fetch('${file}').then((answer) => answer.text())`);
    expect(fetched).toContain('Sintel');
    await page.context().close();
  });

  it('opens figures of a period, of a torrent, a node and all together, to channels that add up to it', async () => {
    const day = (before: number) => new Date(Date.now() - before * 86_400_000).toISOString().slice(0, 10);
    const [from, to] = [day(9), day(2)];
    const page = await open(`/revenue?from=${from}&to=${to}`);
    const follow = async (row: ReturnType<Page['locator']>, most = 2) => {
      const figures = row.locator('a.figure-link');
      await figures.first().waitFor();
      const count = await figures.count();
      expect(count).toBeGreaterThan(2);
      for (let place = 0; place < Math.min(count, most); place += 1) {
        const link = figures.nth(place);
        const shown = await link.innerText();
        await link.click();
        await page
          .getByText(new RegExp(`from ${from} to ${to}`))
          .first()
          .waitFor();
        const sum = page.locator('.explained tfoot');
        await sum
          .getByText('the same as in the books')
          .or(sum.getByText(`of ${shown}`))
          .waitFor();
        await sum.getByText(shown).first().waitFor();
        await page.goBack();
        await figures.first().waitFor();
      }
    };
    await follow(page.getByRole('row', { name: /Sintel/ }), 9);
    await follow(page.getByRole('row', { name: /All torrents/ }));
    await page.getByRole('button', { name: 'Nodes', exact: true }).click();
    await follow(page.getByRole('row', { name: /node-1/ }));
    await page.context().close();
  });

  it('follows the fleet without reloading', async () => {
    const page = await open('/channels');
    await settled(page);
    const id = 'abcdef01-0000-4000-8000-000000000001';
    await storeChannels(api.admin, [channelRow({ id, infoHash: fleet.infoHashes[0] ?? '', state: 'funded', k: 321n })]);
    await page.getByRole('row', { name: /abcdef01.*321 of 987/ }).waitFor();
    await page.context().close();
  });

  it('makes and revokes keys, adds webhooks, and lists who did it', async () => {
    const page = await open('/settings/keys');
    await page.getByLabel('Name').fill('bookkeeping');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const shown = await page.getByText(/^sfk_/).innerText();
    await request(api.url).get('/v1/fleet').set('authorization', `Bearer ${shown}`).expect(200);
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await page.getByRole('button', { name: 'Revoke bookkeeping' }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await page.getByRole('row', { name: /bookkeeping.*revoked/ }).waitFor();
    await request(api.url).get('/v1/fleet').set('authorization', `Bearer ${shown}`).expect(401);
    await page.getByRole('link', { name: 'Webhooks' }).click();
    await page.getByLabel('Address').fill('http://127.0.0.1:9/hook');
    await page.getByRole('button', { name: 'Add the webhook' }).click();
    await page.getByRole('alert').getByText('not a public address').waitFor();
    await page.getByLabel('Address').fill('https://books.example/hook');
    await page.getByRole('button', { name: 'Add the webhook' }).click();
    await page.getByText(/^whsec_/).waitFor();
    await page.getByRole('link', { name: 'Audit log' }).click();
    await page.getByRole('row', { name: /webhook.create/ }).waitFor();
    // Chromium itself logs the refusal.
    expect(dashboard.faults.splice(0)).toEqual([expect.stringContaining('422')]);
    await page.context().close();
  });

  it('makes a torrent of a folder, found by browsing with the keyboard', async () => {
    const page = await open('/torrents');
    await page.getByRole('link', { name: 'Add torrents' }).click();
    await heading(page, 'Add torrents');
    await page.getByLabel('Labels of what is made').fill('film, silent');
    const folder = page.getByRole('button', { name: dashboard.content, exact: true });
    await folder.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: /Moby Dick\.epub.*19\.5 KiB/ }).waitFor();
    await page.getByRole('button', { name: 'Make a torrent of Metropolis (1927)' }).click();
    await page
      .getByRole('row', { name: /Metropolis \(1927\).*done/ })
      .getByRole('link', { name: 'the torrent' })
      .click();
    await heading(page, 'Metropolis (1927)');
    const added = await api.own.torrent.findFirst({
      where: { labels: { has: 'silent' } },
      select: { contentPath: true },
    });
    expect(added).toEqual({ contentPath: join(dashboard.content, 'Metropolis (1927)') });
    await page.context().close();
  });

  it('shows the treasury, and sweeps only after saying what that would do', async () => {
    const page = await open('/treasury');
    await page.getByRole('row', { name: /sweep.*buried.*8,131,004.*10,960/ }).waitFor();
    await page.getByRole('button', { name: 'What would a sweep do?' }).click();
    await page.getByText('It would sweep 291 coins of 1,906,112 sat').waitFor();
    expect(dashboard.askedOfTreasury).not.toContainEqual({ dryRun: false });
    await page.getByRole('button', { name: 'Sweep now' }).click();
    await page.getByText('ab'.repeat(32)).waitFor();
    expect(dashboard.askedOfTreasury).toContainEqual({ dryRun: false });
    await page.context().close();
  });

  it('shows a key that may only read no way to write', async () => {
    const page = await open(`/torrents/${fleet.infoHashes[0]}`, {}, await api.newKey(['read']));
    await page.getByText('A complete sale').waitFor();
    expect(await page.getByRole('button', { name: /Pause|Set this price/ }).count()).toBe(0);
    await page.context().close();
  });

  const pages = (): readonly (readonly [string, string])[] => [
    ['overview', '/'],
    ['revenue', '/revenue'],
    ['torrents', '/torrents'],
    ['torrent', `/torrents/${fleet.infoHashes[1]}?explain=buriedSat`],
    ['channels', '/channels'],
    ['channel', `/channels/${fleet.buriedId}`],
    ['nodes', '/nodes'],
    ['settlement', '/settlement'],
    ['treasury', '/treasury'],
    ['add', `/torrents/add?path=${encodeURIComponent(dashboard.content)}`],
    ['alerts', '/alerts'],
    ['settings', '/settings/keys'],
    ['webhooks', '/settings/webhooks'],
    ['audit', '/settings/audit'],
    ['rates', '/settings/rates'],
    ['prices', '/torrents/prices?label=film'],
    ['explain', '/revenue/explain?figure=allFeesSat&nodeId=node-1'],
    ['nothing', '/no-such-page'],
  ];

  /** As a link within the page would. */
  const visit = async (page: Page, path: string) => {
    await page.evaluate(`history.pushState(null, '', '${path}'); dispatchEvent(new PopStateEvent('popstate'))`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await settled(page);
  };
  const trouble = async () => {
    await api.admin.quarantinedNode.create({ data: { nodeId: 'node-9', reason: 'payments-falsified' } });
    const lastSeenAt = new Date(Date.now() - 1_500_000);
    await api.admin.node.create({
      data: { id: 'node-4', peerAddress: '198.51.100.4:7881', version: '0.1.0', lastSeenAt },
    });
  };
  const picture = async (page: Page, name: string, fullPage = true) => {
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`), fullPage });
  };

  it.each([
    [1440, ['light', 'dark']],
    [390, ['dark']],
  ] as const)(
    'is accessible on %i pixels in %j, every page of it',
    async (width, schemes) => {
      const page = await open('/', { viewport: { width, height: 900 } });
      await heading(page, 'Overview');
      for (const [name, path] of pages()) {
        if (name === 'alerts' && width === 1440) await trouble();
        await visit(page, path);
        if (name === 'alerts') await page.getByRole('heading', { name: /quarantine/ }).waitFor();
        for (const colorScheme of schemes) {
          await page.emulateMedia({ colorScheme });
          const fits = await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth');
          expect(fits, `${name} fits`).toBe(true);
          expect(await violations(page), `${name} in ${colorScheme}`).toEqual([]);
          const shown = name === 'overview' ? 'dashboard' : `dashboard-${name}`;
          if (width === 390) {
            if (name === 'overview' || name === 'torrent') await picture(page, `${shown}-phone`, false);
          } else if ((colorScheme === 'dark') === DARK_PICTURES.has(name)) await picture(page, shown);
        }
      }
      await page.context().close();
    },
    180_000,
  );

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
