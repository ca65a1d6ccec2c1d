// Entry point of `npm run hostile`: brings the compiled suite, and the services it attacks, up to date and runs it.
import { prepare } from '../build.mjs';

const SERVICES = ['apps/chain-watcher', 'apps/channel-service', 'apps/market-api', 'apps/swarm-node'];

const args = process.argv.slice(2);
const ownFleet = !args.includes('--seller') && !args.includes('--help');
await prepare(['tools/hostile', ...(ownFleet ? SERVICES : [])]);
const { main } = await import('./dist/index.js');
// A fleet's connections may linger for a moment after it was stopped.
process.exit(await main(args));
