import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { rotateCredential, writeCredentials, type CredentialPlan } from './credential-files.js';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'seedfleet-secrets-')), 'secrets');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

const write = (nodes: string[]) => {
  const plan: CredentialPlan = {
    folder,
    fleetId: 'fleet',
    nats: 'nats:4222',
    postgres: 'db:5432/seedfleet',
    redis: 'redis:6379',
    bitcoin: 'bitcoin:18443',
    nodes,
  };
  return writeCredentials(plan);
};
const text = (name: string) => readFileSync(join(folder, name), 'utf8');

it('writes a file for each secret, which nobody else can read', () => {
  write(['node-1']);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0);
  expect(text('node-1.nats-url')).toMatch(/^nats:\/\/fleet\.swarm-node\.node-1:[0-9a-f]{48}@nats:4222\n$/);
  expect(text('market-api.database-url')).toMatch(
    /^postgresql:\/\/seedfleet_market:[0-9a-f]{48}@db:5432\/seedfleet\n$/,
  );
  const { password } = new URL(text('node-1.nats-url'));
  expect(text('nats-account.conf')).toContain(password);
});

it('adds a node without changing the others, and takes one out', () => {
  write(['node-1']);
  const before = text('node-1.nats-url');
  expect(write(['node-1', 'node-2'])).toEqual({ made: ['node-2.nats-url'], revoked: [] });
  expect(text('node-1.nats-url')).toBe(before);
  expect(text('nats-account.conf')).toContain('fleet.swarm-node.node-2');
  expect(write(['node-1'])).toEqual({ made: [], revoked: ['node-2'] });
  expect(text('nats-account.conf')).not.toContain('node-2');
});

it('changes one credential and leaves the others', () => {
  write(['node-1', 'node-2']);
  const [leaked, other, market] = ['node-1', 'node-2', 'market-api'].map((name) => text(`${name}.nats-url`));
  expect(rotateCredential(folder, 'node-1')).toEqual({ user: 'fleet.swarm-node.node-1' });
  const fresh = text('node-1.nats-url');
  expect(fresh).not.toBe(leaked);
  expect(new URL(fresh).username).toBe(new URL(leaked ?? '').username);
  expect([text('node-2.nats-url'), text('market-api.nats-url')]).toEqual([other, market]);
  const rotated = text('nats-account.conf');
  expect(rotated).toContain(new URL(fresh).password);
  expect(rotated).not.toContain(new URL(leaked ?? '').password);
  // What it made is what is made anew.
  expect(write(['node-1', 'node-2'])).toEqual({ made: [], revoked: [] });
  expect(text('nats-account.conf')).toBe(rotated);
  expect(rotateCredential(folder, 'node-9')).toBeUndefined();
});
