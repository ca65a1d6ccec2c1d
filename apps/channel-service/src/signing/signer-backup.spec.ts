import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seedId } from '@seedfleet/wallet';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openOrCreateSeed } from '../keys/seed-store.js';
import { runSignerBackupCommand } from './backup-command.js';
import { readSigningLog, removeLog } from './log-segments.js';
import { SigningLog } from './signing-log.js';

const id = '1'.repeat(64);

let folder: string;
let files: { seedFile: string; keyFile: string; log: string };
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signer-backup-'));
  files = { seedFile: join(folder, 'seed.json'), keyFile: join(folder, 'key'), log: join(folder, 'signing.log') };
  writeFileSync(files.keyFile, 'a passphrase\n');
  const seed = openOrCreateSeed(files, null);
  await written({ seedId: seedId(seed), network: 'regtest' }, 1);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function written(whose: { seedId: string; network: string }, ...payments: number[]): Promise<void> {
  const log = await SigningLog.open(files.log, whose, { segmentLines: 2, keptForMs: 0 });
  for (const k of payments) {
    await log.append({ kind: 'settlement', path: '1/1', txid: id, channel: id, k, payment: '3044' });
  }
  await log.close();
}

async function run(verb: string, ...args: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const { seedFile: SEED_FILE, keyFile: SEED_KEY_FILE, log: SIGNING_LOG } = files;
  const environment = { SEED_FILE, SEED_KEY_FILE, SIGNING_LOG };
  const code = await runSignerBackupCommand([verb, ...args], environment, (part) => void (text += part));
  return { code, text };
}

const kinds = (): string[] => {
  const found: string[] = [];
  readSigningLog(files.log, ({ kind }) => void found.push(kind));
  return found;
};

it('brings seed and log back to a host that is lost, and writes below it that it is a copy', async () => {
  const out = join(folder, 'backup');
  const seed = openOrCreateSeed(files, null);
  // A signer that runs may be in the middle of a line.
  appendFileSync(files.log, 'half a li');
  expect(await run('take', '--out', out)).toMatchObject({ code: 0 });
  expect(await run('verify', '--from', out)).toMatchObject({ code: 0 });
  expect(await run('take', '--out', out)).toMatchObject({ code: 1 });
  const before = readFileSync(files.log);
  // Nothing takes the place of a log that is there: it may be newer.
  const refused = await run('restore', '--from', out);
  expect(refused.code).toBe(1);
  expect(refused.text).toContain('may be newer');
  expect(readFileSync(files.log)).toEqual(before);
  rmSync(files.log);
  rmSync(files.seedFile);
  expect(await run('restore', '--from', out)).toMatchObject({ code: 0 });
  expect(openOrCreateSeed(files, seedId(seed))).toEqual(seed);
  expect(kinds()).toEqual(['begun', 'settlement', 'restored']);
  // What was restored goes on as any log does, and can be taken again.
  await written({ seedId: seedId(seed), network: 'regtest' }, 2);
  const whole = ['begun', 'settlement', 'restored', 'continued', 'settlement'];
  expect(kinds()).toEqual(whole);
  expect(await run('take', '--out', `${out}-2`)).toMatchObject({ code: 0 });
  removeLog(files.log);
  expect(await run('restore', '--from', `${out}-2`)).toMatchObject({ code: 0 });
  expect(kinds()).toEqual([...whole, 'restored']);
});

it('begins a log beside a seed that is left alone, which says that all before is missing, and who vouches', async () => {
  const seed = openOrCreateSeed(files, null);
  expect(await run('begin', '--network', 'regtest')).toMatchObject({ code: 1 });
  rmSync(files.log);
  expect(await run('begin')).toMatchObject({ code: 2 });
  expect(await run('begin', '--network', 'regtest')).toMatchObject({ code: 0 });
  expect(kinds()).toEqual(['begun', 'restored']);
  await written({ seedId: seedId(seed), network: 'regtest' }, 2);
  removeLog(files.log);
  rmSync(files.seedFile);
  expect((await run('begin', '--network', 'regtest')).text).toContain('restore it first');
  expect(existsSync(files.seedFile)).toBe(false);
});

it('says in the log whether the settler is vouched for', async () => {
  const sure: (boolean | undefined)[] = [];
  const out = join(folder, 'backup');
  await run('take', '--out', out);
  for (const vouch of [[], ['--vouch']]) {
    rmSync(files.log);
    expect(await run('restore', '--from', out, ...vouch)).toMatchObject({ code: 0 });
    readSigningLog(files.log, (line) => line.kind === 'restored' && sure.push(line.sure));
  }
  expect(sure).toEqual([undefined, true]);
});

it('restores nothing of what was changed, or belongs to another seed or key', async () => {
  const out = join(folder, 'backup');
  await run('take', '--out', out);
  const whole = readFileSync(join(out, 'signing.log'), 'utf8');
  rmSync(files.log);
  writeFileSync(join(out, 'signing.log'), whole.replace('"k":1', '"k":0'));
  expect((await run('restore', '--from', out)).text).toContain('signing-log-broken');
  writeFileSync(join(out, 'signing.log'), '');
  expect((await run('restore', '--from', out)).text).toContain('signing-log-broken');
  writeFileSync(join(out, 'signing.log'), whole);
  const otherKey = join(folder, 'other-key');
  writeFileSync(otherKey, 'another passphrase');
  expect(await run('restore', '--from', out, '--key-file', otherKey)).toMatchObject({ code: 1 });
  // The seed of another fleet is there already.
  rmSync(files.seedFile);
  openOrCreateSeed(files, null);
  expect((await run('restore', '--from', out)).text).toContain('signing-log-of-another-seed');
  expect(existsSync(files.log)).toBe(false);
  expect(await run('improve')).toMatchObject({ code: 2 });
});
