// npm run leecher -- …
import { ensureBuilt, ensureInstalled } from '../../../tools/build.mjs';

await ensureInstalled();
await ensureBuilt(undefined, ['apps/leecher']);
await import('../dist/main.js');
