import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { required, type OptionValues } from './arguments.js';
import { Failure } from './failure.js';

/** Which market API to talk to. */
export interface Target {
  readonly url: string;
  readonly key: string;
}

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** npm runs scripts in the project's folder; INIT_CWD is where the caller stood. */
export function callersFolder(): string {
  return process.env['INIT_CWD'] ?? process.cwd();
}

/** From `--api` and `--key-file`, or from the run.json of a fleet's state folder. */
export async function findTarget(options: OptionValues): Promise<Target> {
  if (options.api !== undefined) {
    if (options.state !== undefined) throw new Failure('usage', 'give --state or --api, not both');
    const keyFile = resolve(callersFolder(), required(options, 'key-file'));
    return { url: apiUrl(options.api), key: await readKey(keyFile) };
  }
  if (options['key-file'] !== undefined) throw new Failure('usage', '--key-file goes with --api');
  const folder = options.state === undefined ? join(PROJECT, '.seedfleet') : resolve(callersFolder(), options.state);
  const { url, keyFile } = await readRunFile(join(folder, 'run.json'));
  return { url: apiUrl(url), key: await readKey(resolve(folder, keyFile)) };
}

function apiUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new Failure('usage', `${text} is not an http or https address`);
  }
  return text.replace(/\/+$/, '');
}

async function readRunFile(path: string): Promise<{ url: string; keyFile: string }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    throw new Failure('fleet-not-running', `no fleet runs there: ${path} can't be read; start one with "npm start"`);
  }
  try {
    const { marketApi } = JSON.parse(text) as { marketApi?: { url?: unknown; keyFile?: unknown } };
    if (typeof marketApi?.url === 'string' && typeof marketApi.keyFile === 'string') {
      return { url: marketApi.url, keyFile: marketApi.keyFile };
    }
  } catch {
    // Answered below like any other content that is not a run file.
  }
  throw new Failure('fleet-not-running', `${path} does not say where the market API is`);
}

async function readKey(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (thrown) {
    throw new Failure('file-unreadable', `the API key in ${path} can't be read: ${(thrown as Error).message}`);
  }
}
