import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { findChromium, launchChromium } from './chromium.js';
import { fillDemoFleet, type DemoFleet } from './demo-fleet.js';
import { answerForTreasury } from './demo-treasury.js';
import { startMarketApi, type RunningMarketApi } from './market-api.js';

const built = existsSync(fileURLToPath(new URL('../../../dashboard/dist/index.html', import.meta.url)));
const executable = findChromium();
/** Why the dashboard can't be opened here; undefined where it can. */
export const missing =
  executable === undefined
    ? 'no Chromium on this machine (install one or set CHROMIUM)'
    : built
      ? undefined
      : 'the dashboard is not built (npm run build -w @seedfleet/dashboard)';
if (missing !== undefined) console.error(`SKIPPED: the dashboard in a real Chromium: ${missing}`);

const PATIENCE_MS = 30_000;

/** The dashboard of a fleet with a month of made-up sales, in a real Chromium. */
export interface OpenDashboard {
  readonly api: RunningMarketApi;
  readonly fleet: DemoFleet;
  /** A folder of which torrents can be made. */
  readonly content: string;
  /** What the treasury was asked. */
  readonly askedOfTreasury: unknown[];
  /** Errors, violations of the content security policy, and what was asked of another server. */
  readonly faults: string[];
  /** A page of a browser of its own, signed in with the key; null: not signed in. */
  open(path?: string, options?: BrowserContextOptions, key?: string | null): Promise<Page>;
  stop(): Promise<void>;
}

export async function openDashboard(postgresUrl: string, natsUrl: string): Promise<OpenDashboard> {
  const content = mkdtempSync(join(tmpdir(), 'seedfleet-content-'));
  mkdirSync(join(content, 'Metropolis (1927)'));
  writeFileSync(join(content, 'Metropolis (1927)', 'film.mkv'), 'f'.repeat(100_000));
  writeFileSync(join(content, 'Moby Dick.epub'), 'b'.repeat(20_000));
  const api = await startMarketApi(postgresUrl, natsUrl, { contentRoots: [{ path: content, onNodes: content }] });
  const fleet = await fillDemoFleet(api);
  const askedOfTreasury = await answerForTreasury(api);
  const browser = await launchChromium(executable ?? '');
  const faults: string[] = [];
  return {
    api,
    fleet,
    content,
    askedOfTreasury,
    faults,
    open: async (path = '/', options = {}, key = api.key) => {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
      page.on('request', (asked) => {
        if (!asked.url().startsWith(api.url)) faults.push(`asked ${asked.url()}`);
      });
      await page.goto(`${api.url}${path}${key === null ? '' : `#key=${key}`}`);
      return page;
    },
    stop: async () => {
      fleet.stop();
      await browser.close();
      await api.stop();
      rmSync(content, { recursive: true, force: true });
    },
  };
}

/** The page with this heading is there. */
export function heading(page: Page, name: string | RegExp): Promise<void> {
  return page.getByRole('heading', { level: 1, name }).waitFor();
}

/** Nothing is waited for any more, and news come. */
export async function settled(page: Page): Promise<void> {
  for (const text of ['Asking the fleet…', 'Drawing…', '…']) {
    await page.getByText(text, { exact: true }).first().waitFor({ state: 'detached' });
  }
  await page.getByText('live', { exact: true }).waitFor();
}
