#!/usr/bin/env node
// npm run signing-log -- …: reads a signer's log.
import { prepare } from '../../../tools/build.mjs';

await prepare(['apps/channel-service']);
const { runSigningLogCommand } = await import('../dist/signing/log-command.js');
process.exit(runSigningLogCommand(process.argv.slice(2), (text) => process.stdout.write(text)));
