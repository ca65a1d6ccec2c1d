// Writes an image of a running fleet's dashboard:
//   node apps/market-api/testing/screenshot.mjs --state .seedfleet --out docs/images/dashboard.png [--dark] [--phone]
// or with --api URL --key-file FILE in place of --state. Needs the build and a Chromium.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { takeScreenshot } from '../dist/testing/screenshot.js';

const { values } = parseArgs({
  options: {
    state: { type: 'string', default: '.seedfleet' },
    api: { type: 'string' },
    'key-file': { type: 'string' },
    out: { type: 'string' },
    dark: { type: 'boolean', default: false },
    phone: { type: 'boolean', default: false },
  },
});
if (values.out === undefined) {
  console.error('--out FILE.png is missing');
  process.exit(2);
}
const run =
  values.api === undefined
    ? JSON.parse(readFileSync(join(values.state, 'run.json'), 'utf8')).marketApi
    : { url: values.api, keyFile: values['key-file'] };
await takeScreenshot({
  url: run.url,
  key: readFileSync(run.keyFile, 'utf8').trim(),
  path: resolve(values.out),
  colours: values.dark ? 'dark' : 'light',
  widthPx: values.phone ? 390 : 1280,
  heightPx: values.phone ? 844 : 800,
});
process.stdout.write(`${values.out}\n`);
