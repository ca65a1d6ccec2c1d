// Prints the manual page; docs/man/leecher.1 is its output.
import { prepare } from '../../../tools/build.mjs';

await prepare(['apps/leecher']);
const { manualPage } = await import('../dist/index.js');
process.stdout.write(manualPage());
