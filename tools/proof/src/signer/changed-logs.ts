import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { natsUrlFor } from '@seedfleet/fleet';
import type { World } from '../world/world.js';
import { segmentOf, signingLogOf } from './signing-file.js';

const MAIN = fileURLToPath(new URL('../../../../apps/channel-service/dist/main.js', import.meta.url));
const START_MS = 60_000;
const HASH_CHARACTERS = 64;

interface Change {
  readonly what: string;
  readonly code: string;
  /** Makes other lines of them; the last one ends with a line's end, unless `open`. */
  readonly make: (lines: readonly string[]) => readonly string[];
  readonly open?: boolean;
}

/** By somebody who knows how the hashes are made. */
function rewritten(lines: readonly string[], change: (json: string) => string): string[] {
  let head = '0'.repeat(HASH_CHARACTERS);
  return lines.map((line) => {
    const json = change(line.slice(HASH_CHARACTERS + 1)).replace(/"previous":"[0-9a-f]{64}"/, `"previous":"${head}"`);
    head = createHash('sha256').update(json).digest('hex');
    return `${head} ${json}`;
  });
}

const CHANGES: readonly Change[] = [
  {
    what: 'a payment made smaller',
    code: 'signing-log-broken',
    make: (lines) => lines.map((line) => line.replace(/"k":\d+/, '"k":1')),
  },
  { what: 'a line taken out', code: 'signing-log-broken', make: (lines) => lines.toSpliced(1, 1) },
  { what: 'its beginning taken out', code: 'signing-log-broken', make: (lines) => lines.slice(1) },
  { what: 'a line there twice', code: 'signing-log-broken', make: (lines) => [...lines, ...lines.slice(-1)] },
  {
    what: 'two lines in each other’s place',
    code: 'signing-log-broken',
    make: ([first = '', second = '', third = '', ...rest]) => [first, third, second, ...rest],
  },
  {
    what: 'no end to its last line',
    code: 'signing-log-broken',
    make: (lines) => [...lines, 'x'.repeat(70_000)],
    open: true,
  },
  {
    what: 'the log of another seed',
    code: 'signing-log-of-another-seed',
    make: (lines) => rewritten(lines, (json) => json.replace(/"seedId":"[0-9a-f]+"/, '"seedId":"00ff00ff00ff00ff"')),
  },
  {
    what: 'the log of another network',
    code: 'signing-log-of-another-seed',
    make: (lines) => rewritten(lines, (json) => json.replace('"network":"regtest"', '"network":"testnet"')),
  },
];

/** What is done to a copy of the whole log, of which a start reads the newest file, and what is remembered before it. */
const CONTINUATIONS: readonly { readonly what: string; readonly change: (newest: string) => void }[] = [
  {
    what: 'a payment made smaller in what is remembered',
    change: (newest) => {
      const text = readFileSync(`${newest}.memory`, 'utf8');
      const path = /"settlements":\[\["[^"]*","[0-9a-f]{64}",\d+/;
      writeFileSync(
        `${newest}.memory`,
        text.replace(path, (found) => `${found}0`),
      );
    },
  },
  { what: 'no newest file', change: (newest) => [newest, `${newest}.memory`].forEach((file) => rmSync(file)) },
  {
    what: 'a continuation without its first line',
    change: (newest) => writeFileSync(newest, readFileSync(newest, 'utf8').replace(/^.*\n/, 'x'.repeat(3_000))),
  },
];

/** A further signer on a copy of the log that was changed: it ends, and says why. The fleet's own is not touched. */
export async function changedLogFaults(world: World, short: boolean): Promise<string[]> {
  const folder = join(world.folder, 'changed-logs');
  mkdirSync(folder, { recursive: true });
  const own = signingLogOf(world);
  if (!existsSync(segmentOf(own, 3))) return ['the log has not been continued twice'];
  // The first file without the line that says that it is continued is a log by itself.
  const lines = readFileSync(own, 'utf8').split('\n').slice(0, -2);
  if (lines.length < 3) return ['too little was signed to change anything'];
  const faults: string[] = [];
  const log = join(folder, 'signing.log');
  const mustFail = async (what: string, code: string): Promise<void> => {
    const { exit, output } = await started(world, folder, log);
    if (exit !== 1) faults.push(`${what}: the signer ended with ${exit}`);
    if (!output.includes(code)) faults.push(`${what}: it did not say ${code}: ${output.slice(-300)}`);
  };
  for (const { what, code, make, open } of CHANGES.slice(short ? -2 : 0)) {
    writeFileSync(log, `${make(lines).join('\n')}${open === true ? '' : '\n'}`);
    await mustFail(what, code);
  }
  for (const { what, change } of CONTINUATIONS.slice(short ? -1 : 0)) {
    let newest = 1;
    for (; existsSync(segmentOf(own, newest)); newest += 1)
      copyFileSync(segmentOf(own, newest), segmentOf(log, newest));
    newest -= 1;
    copyFileSync(`${segmentOf(own, newest)}.memory`, `${segmentOf(log, newest)}.memory`);
    change(segmentOf(log, newest));
    await mustFail(what, 'signing-log-broken');
  }
  return faults;
}

/** Resolves when it has ended; a signer that is still there after a while is ended, with null. */
function started(world: World, folder: string, log: string): Promise<{ exit: number | null; output: string }> {
  const { run, state } = world.fleet;
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN], {
    env: {
      PATH: process.env['PATH'] ?? '',
      ROLE: 'signer',
      SEEDFLEET_NETWORK: run.network,
      FLEET_ID: run.id,
      NATS_URL: natsUrlFor(run.nats, state, 'channel-signer'),
      SEED_FILE: state.file('services', 'channel-settler', 'seed.json'),
      SEED_KEY_FILE: state.file('services', 'channel-settler', 'seed.key'),
      SIGNING_LOG: log,
      READY_FILE: join(folder, 'ready.json'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  return new Promise((resolve) =>
    child.once('close', (exit) => {
      clearTimeout(timer);
      resolve({ exit, output });
    }),
  );
}
