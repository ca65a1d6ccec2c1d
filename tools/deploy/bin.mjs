// Entry point of `npm run credentials` and `npm run references`.
import { prepare } from '../build.mjs';

await prepare(['tools/deploy']);
const { main } = await import('./dist/index.js');
process.exit(await main(process.argv.slice(2)));
