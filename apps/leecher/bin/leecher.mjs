// npm run leecher -- …
import { prepare } from '../../../tools/build.mjs';

await prepare(['apps/leecher']);
await import('../dist/main.js');
