import { credentialsCommand } from './credentials/command.js';
import { referencesCommand } from './references/command.js';

/** Runs one of this tool's commands, with its exit code. */
export async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === 'credentials') return credentialsCommand(args);
  if (command === 'references') return referencesCommand(args);
  process.stderr.write('npm run credentials | references\n');
  return 2;
}
