import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { writeCredentials } from '../credentials/credential-files.js';
import { projectFile, readYamlFile } from '../files.js';

const secretUse = z.union([z.string(), z.looseObject({ source: z.string(), target: z.string() })]);
const composeFile = z.object({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string(),
      build: z.string().optional(),
      environment: z.record(z.string(), z.string()).default({}),
      secrets: z.array(secretUse).default([]),
      healthcheck: z.looseObject({}).optional(),
      volumes: z.array(z.string()).default([]),
      depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
    }),
  ),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});

/** What is wrong with docker-compose.yml and the Dockerfile, as far as it can be told without an engine. */
export function containerFaults(): string[] {
  return [...composeFaults(), ...dockerfileFaults()];
}

function composeFaults(): string[] {
  const compose = composeFile.parse(readYamlFile('docker-compose.yml')[0]);
  const made = madeCredentials();
  const faults = Object.entries(compose.secrets)
    .filter(([name, { file }]) => basename(file) !== name || !made.has(name))
    .map(([name]) => `secret ${name} is not made by \`npm run credentials\``);
  for (const [name, service] of Object.entries(compose.services)) {
    const given = service.secrets.map((use) => (typeof use === 'string' ? { source: use, target: use } : use));
    for (const { source } of given) {
      if (compose.secrets[source] === undefined) faults.push(`${name} uses secret ${source}, which is not defined`);
    }
    for (const [variable, value] of Object.entries(service.environment)) {
      const path = /^\/run\/secrets\/(.+)$/.exec(value)?.[1];
      if (path !== undefined && !given.some(({ target }) => target === path)) {
        faults.push(`${name}: ${variable} names ${value}, which it is not given`);
      }
      if (/:\/\/[^/]*:[^/]*@/.test(value)) faults.push(`${name}: ${variable} has a password in it`);
    }
    if (service.build === undefined) {
      if (!/:[\w.-]+$/.test(service.image) || service.image.endsWith(':latest')) faults.push(`${name} has no version`);
      if (service.healthcheck === undefined) faults.push(`${name} has no health check`);
    }
  }
  return faults;
}

function madeCredentials(): ReadonlySet<string> {
  const folder = mkdtempSync(join(tmpdir(), 'seedfleet-secrets-'));
  try {
    const servers = { nats: 'n:1', postgres: 'p:1/seedfleet', redis: 'r:1', bitcoin: 'b:1' };
    writeCredentials({ folder, fleetId: 'compose', nodes: ['node-1'], ...servers });
    return new Set(readdirSync(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function dockerfileFaults(): string[] {
  const lines = readFileSync(projectFile('Dockerfile'), 'utf8')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const unknown = lines.filter((line) => !/^(FROM|WORKDIR|COPY|RUN|ENV|USER|HEALTHCHECK|CMD|ARG|LABEL) /.test(line));
  const faults = unknown.map((line) => `Dockerfile: ${line.split(' ')[0] ?? ''} is no instruction that is used here`);
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const user = last.findLast((line) => line.startsWith('USER '));
  if (user === undefined || /^USER (root|0)\b/.test(user)) faults.push('Dockerfile: it runs as root');
  if (!last.some((line) => line.startsWith('HEALTHCHECK '))) faults.push('Dockerfile: it has no health check');
  if (!lines.some((line) => line.startsWith('RUN npm ci'))) faults.push('Dockerfile: the lockfile does not decide');
  for (const line of lines.filter((each) => each.startsWith('FROM '))) {
    if (!/^FROM [\w./-]+:[\w.-]+( AS \w+)?$/.test(line)) faults.push(`Dockerfile: ${line} has no version`);
  }
  // `npm ci` wants the package.json of every workspace before the sources are there.
  const copied = lines.filter((line) => line.startsWith('COPY ')).join('\n');
  for (const app of readdirSync(projectFile('apps'))) {
    if (!copied.includes(`apps/${app}/package.json`)) faults.push(`Dockerfile: apps/${app}/package.json is missing`);
  }
  return faults;
}
