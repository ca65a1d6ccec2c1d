// npm run leecher -- …
import { ensureInstalled } from '../../../tools/install.mjs';
import { ensureBuilt } from '../../../tools/build.mjs';

ensureInstalled();
await ensureBuilt(['apps/leecher']);
await import('../dist/main.js');
