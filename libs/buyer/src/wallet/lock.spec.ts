import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockWallet, unlockWallet } from './lock.js';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(dir, 'wallet.lock');
});
afterEach(() => rmSync(dir, { recursive: true }));

const gonePid = (): string => String(spawnSync(process.execPath, ['-e', '']).pid);
const inUse = expect.objectContaining({ code: 'wallet-in-use' }) as Error;

it('holds the process id and leaves nothing else behind', () => {
  lockWallet(dir);
  expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
  expect(readdirSync(dir)).toEqual(['wallet.lock']);
  unlockWallet(dir);
  expect(existsSync(path)).toBe(false);
});

it('refuses while another process has it', () => {
  writeFileSync(path, String(process.ppid));
  expect(() => lockWallet(dir)).toThrow(inUse);
  expect(readFileSync(path, 'utf8')).toBe(String(process.ppid));
});

it('takes over from a process that is gone', () => {
  writeFileSync(path, gonePid());
  lockWallet(dir);
  expect(readFileSync(path, 'utf8')).toBe(String(process.pid));
  expect(readdirSync(dir)).toEqual(['wallet.lock']);
});

it('does not take an empty file for a stale lock', () => {
  writeFileSync(path, '');
  expect(() => lockWallet(dir)).toThrow(inUse);
});

it('leaves a stale lock to whoever is taking it over', () => {
  const gone = gonePid();
  writeFileSync(path, gone);
  writeFileSync(`${path}.takeover`, String(process.ppid));
  expect(() => lockWallet(dir)).toThrow(inUse);
  expect(readFileSync(path, 'utf8')).toBe(gone);
});
