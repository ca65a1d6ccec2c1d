import { describe, expect, it } from 'vitest';
import {
  addressProblem,
  bootstrapNodes,
  publicHost,
  swarmNodeConfig,
  trackersOf,
  type SwarmNodeConfig,
} from './config.js';

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

  it('says so where the announced address is a private one, which no leecher reaches', () => {
    const mainnet = config({ SEEDFLEET_NETWORK: 'mainnet' });
    for (const reachable of ['93.184.216.34', '2606:2800::1', 'node.example', '127.0.0.1']) {
      expect(addressProblem(mainnet, reachable), reachable).toBeNull();
    }
    for (const inside of ['10.1.2.3', '192.168.1.4', '100.64.0.1', '0.0.0.0', 'fd00::1']) {
      expect(addressProblem(mainnet, inside), inside).toContain('PEER_PUBLIC_HOST');
      expect(addressProblem(config(), inside)).toBeNull();
    }
  });
});
