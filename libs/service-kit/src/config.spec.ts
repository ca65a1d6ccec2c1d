import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError, databaseConfig, parseConfig, redisConfig, redisTls } from './config.js';

const folder = mkdtempSync(join(tmpdir(), 'seedfleet-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schema = z.object(databaseConfig);
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('configuration', () => {
  it('reads a secret from its file', () => {
    const path = file('url', 'postgres://u:p@h/d\n');
    expect(parseConfig(schema, { DATABASE_URL_FILE: path }).DATABASE_URL).toBe('postgres://u:p@h/d');
  });

  it('stops where a secret is given twice, or its file can not be read', () => {
    const path = file('twice', 'postgres://u:p@h/d');
    const twice = { DATABASE_URL_FILE: path, DATABASE_URL: 'postgres://u:p@h/d' };
    expect(() => parseConfig(schema, twice)).toThrow(/DATABASE_URL and DATABASE_URL_FILE are both set/);
    expect(() => parseConfig(schema, { DATABASE_URL_FILE: join(folder, 'none') })).toThrow(ConfigError);
  });

  it('checks what a file holds as it checks what the environment holds', () => {
    expect(() => parseConfig(schema, { DATABASE_URL_FILE: file('wrong', 'mysql://u@h/d') })).toThrow(ConfigError);
  });

  it('puts certificates into the URL of Postgres, with the host name checked', () => {
    const given = { DATABASE_URL: 'postgres://u:p@h/d?application_name=a', DATABASE_CA_FILE: '/ca.pem' };
    expect(Object.fromEntries(new URL(parseConfig(schema, given).DATABASE_URL).searchParams)).toEqual({
      application_name: 'a',
      sslmode: 'verify-full',
      sslrootcert: '/ca.pem',
    });
  });

  it('reads the certificates of Redis, and knows none where none is named', () => {
    const url = { REDIS_URL: 'rediss://h:6379' };
    expect(redisTls(parseConfig(z.object(redisConfig), url))).toEqual({});
    const config = parseConfig(z.object(redisConfig), { ...url, REDIS_CA_FILE: file('ca.pem', 'an authority') });
    expect(redisTls(config)).toEqual({ tls: { ca: 'an authority' } });
  });
});
