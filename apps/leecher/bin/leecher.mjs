#!/usr/bin/env node
// npm run leecher -- …, or `leecher` once it is linked
import { prepare } from '../../../tools/build.mjs';

await prepare(['apps/leecher']);
await import('../dist/main.js');
