import { describe, expect, it } from 'vitest';
import { bootstrapNodes, publicHost, swarmNodeConfig, trackersOf, type SwarmNodeConfig } from './config.js';

const config = (env: Record<string, string> = {}): SwarmNodeConfig =>
  swarmNodeConfig.parse({
    SEEDFLEET_NETWORK: 'regtest',
    FLEET_ID: 'test',
    NATS_URL: 'nats://127.0.0.1:4222',
    NODE_ID: 'node-1',
    DATA_DIR: '/tmp',
    ...env,
  });

describe('the configuration of a node', () => {
  it('contacts nobody on the Internet on regtest, unless told', () => {
    expect([bootstrapNodes(config()), trackersOf(config())]).toEqual([[], 'local']);
    const told = config({ DHT_BOOTSTRAP: ' 127.0.0.1:1, dht.example:2,', TRACKERS: 'on' });
    expect([bootstrapNodes(told), trackersOf(told)]).toEqual([['127.0.0.1:1', 'dht.example:2'], 'on']);
    const mainnet = config({ SEEDFLEET_NETWORK: 'mainnet' });
    expect([bootstrapNodes(mainnet).length, trackersOf(mainnet)]).toEqual([5, 'on']);
    expect(bootstrapNodes(config({ SEEDFLEET_NETWORK: 'mainnet', DHT_BOOTSTRAP: '' }))).toEqual([]);
  });

  it.each([
    [{}, undefined, '127.0.0.1'],
    [{ PEER_HOST: '::' }, undefined, '::'],
    [{ PEER_HOST: '::' }, '192.0.2.7', '192.0.2.7'],
    [{ PEER_HOST: '192.0.2.1' }, '192.0.2.7', '192.0.2.1'],
    [{ PEER_HOST: '0.0.0.0', PEER_PUBLIC_HOST: 'node.example' }, '192.0.2.7', 'node.example'],
  ])('announces with %j, detected %s: %s', (env, detected, expected) => {
    expect(publicHost(config(env), detected)).toBe(expected);
  });
});
