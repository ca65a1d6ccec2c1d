import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { containerFaults } from './containers/container-faults.js';
import { projectFile, readYamlFile } from './files.js';

/** What is looked at of a compose file; no engine runs here, so this is as far as it can be checked. */
const composeFile = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      command: z.union([z.string(), z.array(z.string())]).optional(),
      environment: z.record(z.string(), z.string()).optional(),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
      volumes: z.array(z.string()).optional(),
      read_only: z.boolean().optional(),
      healthcheck: z.looseObject({}).optional(),
      build: z.string().optional(),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});

/** The second file, with which the seed is in a container of its own. */
const signerFile = z.object({
  services: z.object({
    'channel-signer': z.looseObject({ environment: z.record(z.string(), z.string()) }),
    'channel-settler': z.looseObject({
      environment: z.record(z.string(), z.string()),
      secrets: z.array(z.unknown()),
      volumes: z.array(z.string()),
    }),
  }),
});

const compose = composeFile.parse(readYamlFile('docker-compose.yml')[0]);
const services = Object.entries(compose.services);
const ours = services.filter(([, { command }]) => Array.isArray(command) && command[0] === 'node');

describe('docker-compose.yml', () => {
  it('gives each process its own secrets, and has versions and health checks; so has the Dockerfile', () => {
    expect(containerFaults()).toEqual([]);
  });

  it('runs every server and every service', () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      [
        'alertmanager',
        'bitcoin',
        'chain-watcher',
        'channel-intake',
        'channel-settler',
        'grafana',
        'market-api',
        'migrate',
        'nats',
        'postgres',
        'prometheus',
        'redis',
        'swarm-node',
        'tower',
        'tower-bitcoin',
        'tower-migrate',
        'tower-postgres',
      ].sort(),
    );
  });

  it.each(ours)('%s runs a program that the build makes', (_, { command }) => {
    const source = String(command?.[1]).replace('/dist/', '/src/').replace(/\.js$/, '.ts');
    expect(existsSync(projectFile(source)) || existsSync(projectFile(String(command?.[1])))).toBe(true);
  });

  it.each(ours.filter(([name]) => !name.endsWith('migrate')))(
    '%s names its network and has a read-only root',
    (_, service) => {
      expect(service.environment).toHaveProperty('SEEDFLEET_NETWORK');
      expect(service.environment).toHaveProperty('FLEET_ID');
      expect(service.read_only).toBe(true);
    },
  );

  it('starts nothing before what it needs is healthy', () => {
    for (const [, { depends_on: needs }] of services) {
      for (const [name, { condition }] of Object.entries(needs ?? {})) {
        expect(compose.services).toHaveProperty(name);
        expect(condition).toBe(name.endsWith('migrate') ? 'service_completed_successfully' : 'service_healthy');
        const ownCheck = compose.services[name]?.healthcheck !== undefined;
        // Ours have the Dockerfile's.
        expect(ownCheck || compose.services[name]?.build !== undefined).toBe(true);
      }
    }
  });

  it('mounts only volumes and files that exist', () => {
    for (const [, { volumes = [] }] of services) {
      for (const mount of volumes) {
        const source = mount.split(':')[0] ?? '';
        if (source.startsWith('./')) expect(existsSync(projectFile(source))).toBe(true);
        else if (!source.startsWith('$')) expect(compose.volumes).toHaveProperty(source);
      }
    }
  });

  it('gives keys to the settler only, or to the signer only', () => {
    const withKeys = services.filter(([, { environment }]) => environment?.['SEED_FILE'] !== undefined);
    expect(withKeys.map(([name]) => name)).toEqual(['channel-settler']);
    const { 'channel-signer': signer, 'channel-settler': settler } = signerFile.parse(
      readYamlFile('docker-compose.signer.yml')[0],
    ).services;
    expect(signer).toMatchObject({ read_only: true, cap_drop: ['ALL'], environment: { ROLE: 'signer' } });
    expect(JSON.stringify(signer)).not.toMatch(/database-url|redis-url/);
    // Both are told of the operator's wallet in the same words: a sweep that only one of them allows is none.
    const held = compose.services['channel-settler']?.environment ?? {};
    const wallet = Object.keys(held).filter((name) => name.startsWith('TREASURY_'));
    expect(wallet).toEqual(['TREASURY_ADDRESS', 'TREASURY_XPUB', 'TREASURY_FIRST_INDEX']);
    for (const name of wallet) expect(signer.environment[name]).toBe(held[name]);
    expect(settler.environment).toEqual({ SIGNER: 'remote', SEED_FILE: '', SEED_KEY_FILE: '' });
    expect(JSON.stringify([settler.secrets, settler.volumes])).not.toMatch(/seed|keys/);
    // They take the place of what the settler has otherwise, and are no addition to it.
    const text = readFileSync(projectFile('docker-compose.signer.yml'), 'utf8');
    expect(text).toMatch(/channel-settler:[^]*secrets: !override\n[^]*volumes: !reset \[\]/);
  });
});
