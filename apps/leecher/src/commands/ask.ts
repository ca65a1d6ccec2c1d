import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { BuyerError, ExitCode } from '@seedfleet/buyer';

/** Whether there is somebody to ask. */
export function isAttended(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on standard error, so that standard output stays what it is. */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}

/** Asks without showing what is typed. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

/** Asks for a new passphrase, twice. */
export async function askNewPassphrase(): Promise<string> {
  if (!isAttended())
    throw new BuyerError(ExitCode.usage, 'no-terminal', 'there is no terminal to ask for a passphrase');
  const first = await askSecret('new passphrase: ');
  if (first === '') throw new BuyerError(ExitCode.usage, 'passphrase-empty', 'an empty passphrase protects nothing');
  if (first === (await askSecret('once more: '))) return first;
  throw new BuyerError(ExitCode.usage, 'passphrase-differs', 'the two are not the same');
}
