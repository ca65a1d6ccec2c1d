import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { violations } from '../testing/accessibility.js';
import type { DemoFleet } from '../testing/demo-fleet.js';
import type { RunningMarketApi } from '../testing/market-api.js';
import { heading, missing, openDashboard, type OpenDashboard } from '../testing/open-dashboard.js';

describe.skipIf(missing !== undefined)('prices in the dashboard', () => {
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
  const http = (method: 'get' | 'put' | 'patch', path: string) =>
    request(api.url)[method](path).set('authorization', `Bearer ${api.key}`);
  /** Chromium itself logs a refusal. */
  const refused = (status: number) => {
    expect(dashboard.faults.splice(0)).toEqual([expect.stringContaining(String(status))]);
  };

  it('changes a price after showing what it comes to, and tells when another was faster', async () => {
    const infoHash = fleet.infoHashes[4] ?? '';
    const page = await open(`/torrents/${infoHash}`);
    await page.getByLabel('Price mode').selectOption('fixed');
    const field = page.getByLabel('Price, satoshi per piece');
    await field.fill('9');
    const rehearsal = page.getByRole('status', { name: 'What it would come to' });
    await rehearsal.getByText('8,883 sat').waitFor();
    await rehearsal.getByText(/refuse it/).waitFor();
    expect(await api.admin.offer.count({ where: { infoHash } })).toBe(0);
    await page.getByRole('button', { name: 'Set this price' }).click();
    await page.getByText('9 sat per piece').waitFor();
    expect(await api.admin.offer.findFirst({ where: { infoHash } })).toMatchObject({ priceSat: 9n, version: 1 });
    // Another operator sets a price while this page looks away: its own must not silently win.
    await page.route('**/v1/events', (route) => route.abort());
    await field.fill('10');
    await rehearsal.getByText('9,870 sat').waitFor();
    const path = `/v1/torrents/${infoHash}/offer`;
    await request(api.url).put(path).set('authorization', `Bearer ${api.key}`).send({ priceSat: '8' }).expect(200);
    const changed = page.getByText('8 sat per piece');
    if (!(await changed.isVisible())) await page.getByRole('button', { name: 'Set this price' }).click();
    await changed.waitFor();
    expect(await api.admin.offer.count({ where: { infoHash, priceSat: 10n } })).toBe(0);
    dashboard.faults.length = 0;
    await page.context().close();
  });

  it('edit many torrents by label: first what it comes to for each, then exactly that, once', async () => {
    const page = await open('/torrents');
    await page.getByRole('link', { name: 'film' }).first().click();
    await page.getByRole('button', { name: 'With the label film' }).waitFor();
    await page.getByRole('link', { name: 'Change prices' }).click();
    await heading(page, 'Change prices');
    await page.getByLabel('Price mode').selectOption('mib');
    await page.getByRole('textbox', { name: 'Satoshi per MiB' }).fill('100');
    await page.getByRole('button', { name: 'What would it come to?' }).click();
    const table = page.getByRole('table', { name: 'What it would come to, per torrent' });
    // 128 KiB pieces: 12.5 satoshi, rounded up; 987 of them; 449 of them pay for a settlement of 434 and its sweep.
    const row = table.getByRole('row', {
      name: /Nosferatu standard 7 → 13 56\.00 → 104\.00 12,831.*582.*12,249 refuse/,
    });
    await row.waitFor();
    await table
      .getByText(/Default buyers refuse it/)
      .first()
      .waitFor();
    expect(await table.getByRole('link').count()).toBe(5);
    expect(await violations(page)).toEqual([]);
    expect(await api.admin.offer.count({ where: { priceMode: 'mib' } })).toBe(0);

    // Something else than what was rehearsed is not applied.
    await http('put', `/v1/torrents/${fleet.infoHashes[6]}/offer`).send({ priceSat: '5' }).expect(200);
    await page.getByRole('button', { name: 'Change 5 torrents' }).click();
    await page
      .getByRole('alert')
      .getByText(/Nothing was changed: look again/)
      .waitFor();
    refused(412);
    expect(await api.admin.offer.count({ where: { priceMode: 'mib' } })).toBe(0);

    await page.getByRole('button', { name: 'What would it come to?' }).click();
    await table.getByRole('row', { name: /5 → 13/ }).waitFor();
    // An answer that is lost on its way does not make the edit twice.
    await page.route('**/v1/offers/bulk', async (route) => {
      await route.fetch();
      await route.abort();
    });
    await page.getByRole('button', { name: 'Change 5 torrents' }).click();
    await page.getByText(/Press again: it is not done twice/).waitFor();
    await page.unroute('**/v1/offers/bulk');
    await page.getByRole('button', { name: 'Change 5 torrents' }).click();
    await page.getByText('5 torrents changed.').waitFor();
    expect(await api.admin.offer.count({ where: { priceMode: 'mib', priceSat: 13n } })).toBe(5);
    expect(await api.admin.auditEntry.count({ where: { action: 'offer.bulk' } })).toBe(1);
    dashboard.faults.length = 0;
    await page.context().close();
  });

  it('say which torrent stands in the way of an edit of many', async () => {
    const page = await open('/torrents/prices?label=film');
    await page.getByLabel('Price mode').selectOption('fixed');
    await page.getByLabel('Price, satoshi per piece').fill('2000000000000000');
    await page.getByRole('button', { name: 'What would it come to?' }).click();
    await page
      .getByRole('alert')
      .getByText(/more than all money there is/)
      .waitFor();
    await page.getByRole('link', { name: 'See the torrent' }).click();
    await page.getByText('A complete sale').waitFor();
    refused(422);
    await page.context().close();
  });

  it('follow a tier that is made, given to a torrent, changed and repriced', async () => {
    const infoHash = fleet.infoHashes[1] ?? '';
    await http('put', `/v1/torrents/${infoHash}/offer`)
      .send({ price: { mode: 'mib', rate: '80' } })
      .expect(200);
    const page = await open('/settings/rates');
    await page.getByLabel('Name').fill('remaster');
    await page.getByLabel('Times dearer').fill('1.5');
    await page.getByLabel('What it means').fill('scanned anew');
    await page.getByRole('button', { name: 'Make the tier' }).click();
    await page.getByRole('row', { name: /remaster × 1\.5 0 scanned anew/ }).waitFor();

    await page.goto(`${api.url}/torrents/${infoHash}`);
    await page.getByLabel('Labels, with commas between').fill('film,  open , film');
    await page.getByLabel('Quality tier').selectOption('remaster');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('15 sat per piece').waitFor();
    const { body } = await http('get', `/v1/torrents/${infoHash}`).expect(200);
    expect(body).toMatchObject({ labels: ['film', 'open'], tier: 'remaster' });

    await page.goto(`${api.url}/settings/rates`);
    await page.getByRole('button', { name: 'Change remaster' }).click();
    await page.getByRole('button', { name: 'Save', exact: true }).and(page.locator(':enabled')).waitFor();
    await page.getByRole('button', { name: 'Remove high' }).click();
    await page.getByRole('alertdialog', { name: 'Remove high' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    // Another operator is faster.
    await http('put', '/v1/tiers/remaster').send({ multiplier: '3' }).expect(200);
    await page.getByLabel('Times dearer').first().fill('2');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page
      .getByRole('alert')
      .getByText(/Somebody else has changed it meanwhile/)
      .waitFor();
    refused(412);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'Reprice them' }).click();
    await heading(page, 'Change prices');
    await page.getByRole('button', { name: 'What would it come to?' }).click();
    await page.getByRole('row', { name: /Sintel remaster 15 → 20/ }).waitFor();
    await page.getByRole('button', { name: 'Change 1 torrent', exact: true }).click();
    await page.getByText('1 torrent changed.').waitFor();
    await page.context().close();
  });

  it('leave a torrent as another operator has it until that was seen', async () => {
    const infoHash = fleet.infoHashes[2] ?? '';
    const page = await open(`/torrents/${infoHash}`);
    const labels = page.getByLabel('Labels, with commas between');
    await labels.fill('mine');
    await http('patch', `/v1/torrents/${infoHash}`)
      .send({ labels: ['theirs'] })
      .expect(200);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page
      .getByRole('alert')
      .getByText(/changed meanwhile/)
      .waitFor();
    refused(412);
    await page.getByRole('banner').or(page.locator('.page-head')).getByRole('link', { name: 'theirs' }).waitFor();
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'mine' }).waitFor();
    await page.getByRole('button', { name: 'Remove the torrent' }).click();
    await page.getByRole('alertdialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Remove the torrent' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('button', { name: 'Sell again' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.context().close();
  });

  it('become profit at the operator’s own cost rates', async () => {
    const page = await open('/settings/rates');
    await page.getByLabel(/Bandwidth/).fill('12.3456');
    await page.getByRole('button', { name: 'Set these rates' }).click();
    await page
      .getByRole('alert')
      .getByText(/three decimal places/)
      .waitFor();
    refused(400);
    await page.getByLabel(/Bandwidth/).fill('120.5');
    await page.getByLabel(/Disk/).fill('3');
    await page.getByRole('button', { name: 'Set these rates' }).click();
    await page.getByRole('button', { name: 'Saved' }).waitFor();
    expect((await http('get', '/v1/settings/cost-rates').expect(200)).body).toEqual({
      bandwidthSatPerGib: '120.5',
      diskSatPerGibMonth: '3',
    });
    const { body } = await http('get', '/v1/reports/total').expect(200);
    const profit = Number(body.profit.profitSat).toLocaleString('en').replace('-', '−');
    await page.getByRole('link', { name: 'Revenue' }).click();
    await page.getByRole('row', { name: new RegExp(`All torrents.*${profit}`) }).waitFor();
    await page.context().close();
  });
});
