import { findChromium, launchChromium } from './chromium.js';

export interface ScreenshotOrder {
  /** Address of a market API that serves the dashboard. */
  readonly url: string;
  readonly key: string;
  /** PNG file to write. */
  readonly path: string;
  readonly colours: 'light' | 'dark';
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Opens the dashboard in a real Chromium, waits for its figures, and writes the whole page as an image. */
export async function takeScreenshot(order: ScreenshotOrder): Promise<void> {
  const executable = findChromium();
  if (executable === undefined) throw new Error('no Chromium on this machine; install one or set CHROMIUM');
  const browser = await launchChromium(executable);
  try {
    const page = await browser.newPage({
      viewport: { width: order.widthPx, height: order.heightPx },
      colorScheme: order.colours,
      deviceScaleFactor: 1,
    });
    await page.goto(`${order.url}/#key=${encodeURIComponent(order.key)}`);
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    for (const text of ['Asking the fleet…', 'Drawing…', '…']) {
      await page.getByText(text, { exact: true }).first().waitFor({ state: 'detached' });
    }
    await page.screenshot({ path: order.path, fullPage: true });
  } finally {
    await browser.close();
  }
}
