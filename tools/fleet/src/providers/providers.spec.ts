import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FleetError } from '../errors.js';
import { rpcAuth, withCookie } from './bitcoin.js';
import { provide } from './provide.js';
import type { Probe, ProviderContext, ServerProvider } from './provider.js';

describe('credentials of a Bitcoin node', () => {
  it('hashes the password as rpcauth wants it', () => {
    const mac = createHmac('sha256', 'a1b2').update('secret').digest('hex');
    expect(rpcAuth('somebody', 'secret', 'a1b2')).toBe(`somebody:a1b2$${mac}`);
  });

  it('come from the cookie unless the address has its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fleet-cookie-'));
    const cookie = join(folder, '.cookie');
    writeFileSync(cookie, '__cookie__:0123abcd\n');
    expect(withCookie('http://127.0.0.1:18443', cookie)).toBe('http://__cookie__:0123abcd@127.0.0.1:18443/');
    expect(withCookie('http://me:mine@127.0.0.1:18443', cookie)).toBe('http://me:mine@127.0.0.1:18443');
    rmSync(folder, { recursive: true });
    expect(() => withCookie('http://127.0.0.1:18443', cookie)).toThrow(FleetError);
  });
});

describe('the order of providing a server', () => {
  const good: Probe = { ok: true, detail: 'Server 1' };
  const provider = (change: Partial<ServerProvider<string>>): ServerProvider<string> => ({
    name: 'redis',
    title: 'Server',
    variable: 'SERVER_URL',
    fromEnvironment: () => undefined,
    probe: () => Promise.resolve(good),
    findBinaries: () => Promise.resolve(undefined),
    packageFor: () => ({
      suite: 'trixie',
      name: 'nothing-of-this-name',
      binaryFolder: 'usr/bin',
      binaries: ['nothing'],
    }),
    refusal: () => undefined,
    start: ({ folder }) => Promise.resolve(`started from ${folder}`),
    ...change,
  });
  const context = { env: { SEEDFLEET_CACHE: '/nonexistent' } } as unknown as ProviderContext;
  const talk = (answer: boolean) => ({ allow: () => Promise.resolve(answer), say: () => undefined });
  const binaries = { findBinaries: () => Promise.resolve({ folder: '/here', detail: 'Server 1, /here' }) };

  it('prefers the environment, then what runs, then a program on the machine', async () => {
    const all = provider({ fromEnvironment: () => 'named', ...binaries });
    expect(await provide(all, context, 'running', talk(true))).toMatchObject({
      connection: 'named',
      origin: 'environment',
    });
    expect(await provide(provider(binaries), context, 'running', talk(true))).toMatchObject({ origin: 'running' });
    expect(await provide(provider(binaries), context, undefined, talk(true))).toMatchObject({
      connection: 'started from /here',
      origin: 'started',
    });
  });

  it('does not replace a named server that fails', async () => {
    const why = 'connection refused';
    const probe = () => Promise.resolve<Probe>({ ok: false, code: 'unreachable', why });
    const named = provider({ fromEnvironment: () => 'named', probe, ...binaries });
    await expect(provide(named, context, undefined, talk(true))).rejects.toMatchObject({
      code: 'server-unreachable',
      why,
    });
  });

  it('stops with advice when bringing is declined', async () => {
    await expect(provide(provider({}), context, undefined, talk(false))).rejects.toMatchObject({
      code: 'server-missing',
      todo: expect.stringContaining('SERVER_URL') as unknown,
    });
  });
});
