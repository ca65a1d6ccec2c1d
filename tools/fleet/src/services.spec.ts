import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BitcoinConnection } from './providers/connections.js';
import { planServices, rolePasswords, type ServiceSettings } from './services.js';
import { StateDir } from './state/state-dir.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-services-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function plan(bitcoin: Partial<BitcoinConnection> = {}, more: Partial<ServiceSettings> = {}) {
  const connections = {
    postgres: { url: 'postgresql://owner@127.0.0.1/fleet' },
    nats: { url: 'nats://127.0.0.1:4222', monitorUrls: '' },
    redis: { url: 'redis://127.0.0.1:6379' },
    bitcoin: { rpcUrl: 'http://user:word@127.0.0.1:18443/', zmq: 'tcp://127.0.0.1:28332', ...bitcoin },
  };
  const databases = { chain: 'postgresql://chain', channel: 'postgresql://channel', market: 'postgresql://market' };
  return planServices({
    state: StateDir.open(folder),
    connections,
    databases,
    network: 'regtest',
    nodes: 3,
    copies: {},
    contentRoots: [],
    ...more,
  }).flat();
}

const envOf = (name: string, plans = plan()) => plans.find((one) => one.name === name)?.env ?? {};

describe('the services of a fleet', () => {
  it('are given the database of their own role, and nodes none', () => {
    expect(envOf('chain-watcher')['DATABASE_URL']).toBe('postgresql://chain');
    expect(envOf('channel-settler')['DATABASE_URL']).toBe('postgresql://channel');
    expect(envOf('market-api')['DATABASE_URL']).toBe('postgresql://market');
    expect(Object.keys(envOf('node-1')).sort()).toEqual(['DATA_DIR', 'NODE_ID']);
  });

  it('keep the seed with the settler alone', () => {
    const told = plan().filter(({ env }) => 'SEED_FILE' in env || 'SEED_KEY_FILE' in env);
    expect(told.map(({ name }) => name)).toEqual(['channel-settler']);
    const keyFile = envOf('channel-settler')['SEED_KEY_FILE'] ?? '';
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  });

  it('include a tower that was asked for, without a key, and tell those that wait for it', () => {
    const plans = plan({}, { towerDatabase: 'postgresql://tower' });
    expect(envOf('tower', plans)).toMatchObject({ ROLE: 'tower', DATABASE_URL: 'postgresql://tower' });
    expect(plans.filter(({ env }) => env['TOWER'] === 'true').map(({ name }) => name)).toEqual([
      'chain-watcher',
      'channel-settler',
    ]);
    expect(plan().map(({ name }) => name)).not.toContain('tower');
    expect(plan().some(({ env }) => 'TOWER' in env)).toBe(false);
  });

  it('include one more of what is to run twice, with the credential of the first', () => {
    const watchers = plan({}, { copies: { 'chain-watcher': 2 } }).filter(({ app }) => app === 'chain-watcher');
    expect(watchers.map(({ name, credential }) => [name, credential])).toEqual([
      ['chain-watcher', undefined],
      ['chain-watcher-2', 'chain-watcher'],
    ]);
  });

  it('keep the same seed with a signer that has no database, where there is one', () => {
    const plans = plan({}, { remoteSigner: true });
    const told = plans.filter(({ env }) => 'SEED_FILE' in env || 'SEED_KEY_FILE' in env);
    expect(told.map(({ name }) => name)).toEqual(['channel-signer']);
    expect(envOf('channel-signer', plans)['SEED_FILE']).toBe(envOf('channel-settler')['SEED_FILE']);
    expect(envOf('channel-signer', plans)).not.toHaveProperty('DATABASE_URL');
    expect(envOf('channel-settler', plans)['SIGNER']).toBe('remote');
  });

  it('include a node per address', () => {
    expect(plan().flatMap(({ peerHost }) => peerHost ?? [])).toEqual(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  });

  it('read a cookie themselves, since it changes', () => {
    expect(envOf('chain-watcher')['BTC_RPC']).toBe('http://user:word@127.0.0.1:18443/');
    const withCookie = envOf('chain-watcher', plan({ cookieFile: '/node/.cookie', zmq: '' }));
    expect(withCookie).toMatchObject({ BTC_RPC: 'http://127.0.0.1:18443/', BTC_COOKIE: '/node/.cookie' });
    expect(withCookie).not.toHaveProperty('BTC_ZMQ');
  });

  it('find the same database passwords at the second start', () => {
    const state = StateDir.open(folder);
    expect(rolePasswords(StateDir.open(folder))).toEqual(rolePasswords(state));
    expect(new Set(Object.values(rolePasswords(state))).size).toBe(3);
  });
});
