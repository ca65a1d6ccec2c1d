import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const eslint = new ESLint({ cwd: root });

/** Rule ids that the source would break if it stood in the file. */
async function broken(file, source) {
  const [result] = await eslint.lintText(`${source}\n`, { filePath: `${root}${file}` });
  return result.messages.map((message) => message.ruleId);
}

const FORBIDDEN = [
  ['a library imports one it may not', 'libs/wire/src/x.ts', "export * from '@seedfleet/payment-channel';"],
  ['a library imports an npm package outside its list', 'libs/wire/src/x.ts', "export * from 'bitcoinjs-lib';"],
  ['a pure library opens a socket', 'libs/exchange/src/x.ts', "export * from 'node:net';"],
  ['a pure library opens a socket under the old name', 'libs/exchange/src/x.ts', "export * from 'net';"],
  ['a library imports an app', 'libs/bus/src/x.ts', "export * from '@seedfleet/market-api';"],
  ['an app imports an app', 'apps/leecher/src/x.ts', "export * from '@seedfleet/swarm-node';"],
  ['an app reaches into another by path', 'apps/leecher/src/x.ts', "export * from '../../swarm-node/src/main.js';"],
  ['a library reaches into another by path', 'libs/wire/src/x.ts', "export * from '../../exchange/src/index.js';"],
  ['a deep import past the public entry', 'apps/leecher/src/x.ts', "export * from '@seedfleet/wire/src/messages.js';"],
  ['a dynamic import', 'libs/policy/src/x.ts', "export const x = import('@seedfleet/bus');"],
  ['a type import', 'libs/policy/src/x.ts', "export type X = import('@seedfleet/bus').Bus;"],
  ['the node touches Postgres', 'apps/swarm-node/src/x.ts', "export * from '@seedfleet/persistence';"],
  ['the node touches keys', 'apps/swarm-node/src/x.ts', "export * from '@seedfleet/wallet';"],
  ['channel-service talks to peers', 'apps/channel-service/src/x.ts', "export * from '@seedfleet/bittorrent';"],
  ['market-api touches the Bitcoin node', 'apps/market-api/src/x.ts', "export * from '@seedfleet/bitcoin-node';"],
];

const ALLOWED = [
  ['apps/swarm-node/src/x.ts', "export * from '@seedfleet/exchange';"],
  ['libs/exchange/src/x.ts', "export * from '@seedfleet/wire';"],
  ['libs/exchange/src/a/x.ts', "export * from '../b/y.js';"],
  ['libs/bitcoin-node/src/x.ts', "export * from 'node:http';"],
  ['libs/exchange/src/x.spec.ts', "export * from 'fast-check';"],
];

describe('module boundaries', () => {
  it.each(FORBIDDEN)('refuse: %s', async (_, file, source) => {
    expect(await broken(file, source)).toContain('seedfleet/boundaries');
  });

  it.each(ALLOWED)('let %s import: %s', async (file, source) => {
    expect(await broken(file, source)).not.toContain('seedfleet/boundaries');
  });

  it('keep the clock out of pure libraries', async () => {
    expect(await broken('libs/policy/src/x.ts', 'export const now = Date.now();')).toContain('no-restricted-syntax');
  });
});
