import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runSigningLogCommand } from './log-command.js';
import { SigningLog } from './signing-log.js';

const idOf = (n: number): string => n.toString(16).padStart(64, '0');

let folder: string;
let path: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'log-command-'));
  path = join(folder, 'signing.log');
  const log = await SigningLog.open(path, { seedId: 'ab12', network: 'regtest' }, { segmentLines: 3, keptForMs: 0 });
  for (const n of [1, 2]) {
    await log.append({
      kind: 'settlement',
      path: `7/${n}`,
      txid: idOf(n),
      channel: idOf(9),
      k: 40 + n,
      payment: '3044',
    });
  }
  await log.append({ kind: 'child', txid: idOf(3), of: idOf(2), feeSat: '300' });
  await log.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): { code: number; text: string } {
  let text = '';
  const code = runSigningLogCommand(args, (part) => void (text += part));
  return { code, text };
}

it('says of a whole log what is in it, and of another where it breaks', () => {
  expect(run('verify', path)).toMatchObject({ code: 0 });
  expect(run('verify', path).text).toMatch(
    /^whole: 5 lines in 2 files of seed ab12 on regtest\n.*\n2 settlement, 1 child\n$/,
  );
  appendFileSync(`${path}.2`, 'half a li');
  expect(run('verify', path).text).toContain('9 bytes after it');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"k":41', '"k":40'));
  expect(run('verify', path)).toMatchObject({ code: 1 });
  expect(run('verify', path).text).toContain('line 2 does not follow');
  expect(run('verify', join(folder, 'none'))).toMatchObject({ code: 1 });
  expect(run('improve', path)).toMatchObject({ code: 2 });
});

it('shows what was signed with a key or for a transaction', () => {
  const shown = (...args: string[]) =>
    run('show', path, ...args)
      .text.trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq);
  expect(shown()).toEqual([1, 2, 3, 4, 5]);
  expect(shown('--path', '7/1')).toEqual([2]);
  expect(shown('--txid', idOf(2))).toEqual([3, 5]);
});
