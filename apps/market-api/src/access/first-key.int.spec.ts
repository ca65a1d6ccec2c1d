import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { startMarketApi, type RunningMarketApi } from '../testing/market-api.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ensureFirstKey } from './first-key.js';

let api: RunningMarketApi;
let folder: string;
let keys: ApiKeyRepository;

beforeAll(async () => {
  api = await startMarketApi(inject('postgresUrl'), inject('natsUrl'));
  folder = await mkdtemp(join(tmpdir(), 'seedfleet-key-'));
  keys = new ApiKeyRepository(api.own);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await api.stop();
});
beforeEach(() => api.admin.apiKey.deleteMany());

it('writes a key that opens the API, readable by its owner only, and keeps it from then on', async () => {
  const path = join(folder, 'new.key');
  expect(await ensureFirstKey(keys, path)).toBe('created');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const text = (await readFile(path, 'utf8')).trim();
  expect(await keys.authenticate(text)).toMatchObject({ scopes: ['read', 'operate', 'money'] });
  expect(await ensureFirstKey(keys, path)).toBe('kept');
  expect((await readFile(path, 'utf8')).trim()).toBe(text);
});

it('stores the file’s key again in a database that was made anew', async () => {
  const path = join(folder, 'kept.key');
  await ensureFirstKey(keys, path);
  await api.admin.apiKey.deleteMany();
  expect(await ensureFirstKey(keys, path)).toBe('restored');
  expect(await keys.authenticate((await readFile(path, 'utf8')).trim())).toBeDefined();
});

it('leaves a file alone that holds something else, and never lets in a key that was revoked', async () => {
  const path = join(folder, 'revoked.key');
  await ensureFirstKey(keys, path);
  await api.admin.apiKey.updateMany({ data: { revokedAt: new Date() } });
  expect(await ensureFirstKey(keys, path)).toBe('stale');
  expect(await keys.authenticate((await readFile(path, 'utf8')).trim())).toBeUndefined();
  const foreign = join(folder, 'foreign.key');
  await writeFile(foreign, 'not a key\n');
  expect(await ensureFirstKey(keys, foreign)).toBe('stale');
  expect(await readFile(foreign, 'utf8')).toBe('not a key\n');
});

it('gives a new key when the file is gone', async () => {
  await ensureFirstKey(keys, join(folder, 'first.key'));
  expect(await ensureFirstKey(keys, join(folder, 'second.key'))).toBe('created');
  expect(await api.admin.apiKey.count()).toBe(2);
});

it('names the setting when the file can’t be used', async () => {
  await expect(ensureFirstKey(keys, join(folder, 'no', 'such', 'folder.key'))).rejects.toThrow(
    /API_KEY_FILE .*folder.key can't be written: ENOENT/,
  );
  await expect(ensureFirstKey(keys, folder)).rejects.toThrow(/API_KEY_FILE .* can't be read: EISDIR/);
  expect(await api.admin.apiKey.count()).toBe(0);
});
