// Entry point of `npm run bench`: brings the compiled benchmarks, and what they run, up to date and runs the one named.
import { prepare } from '../build.mjs';

const SERVICES = ['apps/chain-watcher', 'apps/channel-service', 'apps/market-api', 'apps/swarm-node'];
const NEEDS_FLEET = new Set(['swarm', 'sale', 'payments', 'fleet']);

const args = process.argv.slice(2);
const SERVICES_OF = { market: ['apps/market-api'] };
await prepare(['tools/bench', ...(NEEDS_FLEET.has(args[0]) ? SERVICES : (SERVICES_OF[args[0]] ?? []))]);
const { main } = await import('./dist/index.js');
// A fleet's connections may linger for a moment after it was stopped.
process.exit(await main(args));
