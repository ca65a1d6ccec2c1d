// `npm run backup`: takes, verifies and restores backups of everything that is needed to settle.
import { prepare } from '../../build.mjs';

await prepare(['tools/fleet']);
const { runBackupCommand } = await import('../dist/backup/command.js');
process.exit(await runBackupCommand(process.argv.slice(2)));
