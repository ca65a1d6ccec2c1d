// Entry point of `npm run drill`: disasters on a fleet of their own, and the runbooks against them.
import { prepare } from '../build.mjs';

// What the operator's commands are going to need, too.
await prepare();
const { drillMain } = await import('./dist/drill/command.js');
process.exit(await drillMain(process.argv.slice(2)));
