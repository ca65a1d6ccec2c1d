// npm run fleetctl -- …
import { prepare } from '../build.mjs';

await prepare(['tools/fleetctl']);
const { runFleetctl } = await import('./dist/index.js');
process.exitCode = await runFleetctl(process.argv.slice(2));
