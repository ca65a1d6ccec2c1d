// `npm stop -- --state DIR`: asks the fleet that `npm start` runs from a folder to end, and waits until it has.
import { prepare } from '../../build.mjs';

await prepare(['tools/fleet']);
const { runStopCommand } = await import('../dist/stop-command.js');
process.exit(await runStopCommand(process.argv.slice(2)));
