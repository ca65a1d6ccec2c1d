#!/usr/bin/env node
// npm run signer-backup -- …: backup and restore of what only a signer has.
import { prepare } from '../../../tools/build.mjs';

await prepare(['apps/channel-service']);
const { runSignerBackupCommand } = await import('../dist/signing/backup-command.js');
process.exit(await runSignerBackupCommand(process.argv.slice(2), process.env, (text) => process.stdout.write(text)));
