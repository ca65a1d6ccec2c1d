import { mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import fixtures from 'webtorrent-fixtures';
import { createMetainfo } from '../metainfo/create.js';
import { parseMetainfo } from '../metainfo/parse.js';
import type { Metainfo } from '../metainfo/metainfo.js';
import { makeMetainfo, type MakeOptions } from './make-metainfo.js';
import { surveyContent, DEFAULT_SURVEY_LIMITS } from './survey.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'making-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const root = join(folder, 'album');
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), bytes);
  }
  return root;
}

async function made(path: string, options: Partial<MakeOptions> = {}): Promise<Metainfo> {
  const survey = await surveyContent(path);
  if (!survey.ok) throw new Error(survey.error.code);
  const bytes = await makeMetainfo(survey.value, { pieceLengthBytes: 16_384, ...options });
  if (!bytes.ok) throw new Error(bytes.error.code);
  return parsed(bytes.value);
}

function parsed(bytes: Uint8Array): Metainfo {
  const metainfo = parseMetainfo(bytes);
  if (!metainfo.ok) throw new Error(metainfo.error.code);
  return metainfo.value;
}

async function refusal(path: string, limits = DEFAULT_SURVEY_LIMITS): Promise<string> {
  const survey = await surveyContent(path, limits);
  return survey.ok ? 'ok' : survey.error.code;
}

describe('making torrents', () => {
  it.each(['leaves', 'numbers'] as const)('makes the same torrent of %s as create-torrent', async (name) => {
    const path = fixtures[name].contentPath;
    const expected = parsed(await createMetainfo(path, { pieceLengthBytes: 16_384 }));
    expect((await made(path)).infoHash).toBe(expected.infoHash);
  });

  it('hashes whatever files there are, across their borders', async () => {
    const content = fc.array(fc.uint8Array({ maxLength: 70_000 }), { minLength: 2, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(content, fc.constantFrom(1024, 16_384, 65_536), async (parts, pieceLengthBytes) => {
        fc.pre(parts.some((part) => part.length > 0));
        const path = await put(Object.fromEntries(parts.map((part, index) => [`d${index % 2}/f${index}`, part])));
        const expected = parsed(await createMetainfo(path, { pieceLengthBytes }));
        const metainfo = await made(path, { pieceLengthBytes });
        const order = (of: Metainfo) => of.files.map((file) => file.path.join('/'));
        expect(order(metainfo)).toEqual(order(expected).sort());
        if (order(expected).join() === order(metainfo).join()) expect(metainfo.infoHash).toBe(expected.infoHash);
        await rm(path, { recursive: true });
      }),
      { numRuns: 15 },
    );
  });

  it('marks private torrents, takes a name, tells how far it is and can be called off', async () => {
    const path = await put({ a: new Uint8Array(300_000), b: new Uint8Array(5) });
    const metainfo = await made(path, { name: 'other', isPrivate: true });
    expect(metainfo).toMatchObject({ name: 'other', isPrivate: true, multiFile: true, totalLengthBytes: 300_005 });
    const survey = await surveyContent(path);
    if (!survey.ok) throw new Error(survey.error.code);
    const stopped = await makeMetainfo(survey.value, { pieceLengthBytes: 1024, signal: AbortSignal.abort() });
    expect(stopped).toMatchObject({ ok: false, error: { code: 'aborted' } });
    const file = join(folder, 'large');
    await writeFile(file, '');
    await truncate(file, 4 * 1024 ** 3);
    const large = await surveyContent(file);
    if (!large.ok) throw new Error(large.error.code);
    const control = new AbortController();
    const told: number[] = [];
    const onProgress = (hashed: number): void => {
      told.push(hashed);
      control.abort();
    };
    const options = { pieceLengthBytes: 1024 * 1024, onProgress, signal: control.signal };
    expect(await makeMetainfo(large.value, options)).toMatchObject({ ok: false, error: { code: 'aborted' } });
    expect(told[0]).toBeGreaterThan(0);
  }, 60_000);

  it('refuses what would leave the folder, is nothing, or is too much', async () => {
    const path = await put({ 'a/b.bin': 'x', '.DS_Store': 'junk', 'a/Thumbs.db': 'junk' });
    expect((await made(path)).files.map((file) => file.path)).toEqual([['a', 'b.bin']]);
    expect(await refusal(path, { maxFiles: 2, maxTotalBytes: 100 })).toBe('content-too-many-files');
    expect(await refusal(path, { maxFiles: 9, maxTotalBytes: 0 })).toBe('content-too-large');
    expect(await refusal(join(path, 'nothing'))).toBe('content-missing');
    await symlink('/etc/passwd', join(path, 'a', 'link'));
    expect(await refusal(path)).toBe('content-symlink');
    await symlink(path, join(folder, 'alias'));
    expect(await refusal(join(folder, 'alias'))).toBe('content-symlink');
    expect(await refusal('/dev/null')).toBe('content-special');
    await mkdir(join(folder, 'empty', 'sub'), { recursive: true });
    expect(await refusal(join(folder, 'empty'))).toBe('content-empty');
    await rm(join(path, 'a', 'link'));
    await writeFile(Buffer.concat([Buffer.from(`${path}/a/`), Uint8Array.of(0xff, 0x41)]), 'x');
    expect(await refusal(path)).toBe('content-name-unsafe');
  });

  it('notices that content was changed, replaced or shortened since it was looked at', async () => {
    const change = async (how: (path: string) => Promise<void>): Promise<string> => {
      const path = await put({ 'a/b': 'x'.repeat(1000), c: 'y' });
      const survey = await surveyContent(path);
      if (!survey.ok) return survey.error.code;
      await how(path);
      const result = await makeMetainfo(survey.value, { pieceLengthBytes: 1024 });
      await rm(path, { recursive: true });
      return result.ok ? 'ok' : result.error.code;
    };
    expect(await change(() => Promise.resolve())).toBe('ok');
    expect(await change((path) => truncate(join(path, 'a/b'), 10))).toBe('content-changed');
    expect(await change((path) => utimes(join(path, 'c'), 1, 1))).toBe('content-changed');
    expect(await change((path) => rm(join(path, 'c')))).toBe('content-missing');
    const swapForLink = async (path: string): Promise<void> => {
      await rm(join(path, 'c'));
      await symlink('/etc/passwd', join(path, 'c'));
    };
    expect(await change(swapForLink)).toBe('content-symlink');
    const swapFolder = async (path: string): Promise<void> => {
      await mkdir(join(folder, 'elsewhere'));
      await writeFile(join(folder, 'elsewhere', 'b'), 'x'.repeat(1000));
      await rm(join(path, 'a'), { recursive: true });
      await symlink(join(folder, 'elsewhere'), join(path, 'a'));
    };
    expect(await change(swapFolder)).toBe('content-changed');
  });
});
