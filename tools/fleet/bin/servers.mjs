// Brings the four servers up without any service, prints their addresses as JSON and stays until Ctrl-C, or, attached,
// until standard input closes:
//   node tools/fleet/bin/servers.mjs [--state DIR] [--attached]
import { prepare } from '../../build.mjs';

await prepare(['tools/fleet']);
const { runServersCommand } = await import('../dist/servers-command.js');
await runServersCommand(process.argv.slice(2));
