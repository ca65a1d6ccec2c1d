import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { reasonOf } from '../errors.js';
import { pickPort } from '../free-port.js';
import { plainEnvironment, runCommand } from '../run-command.js';
import type { UrlConnection } from './connections.js';
import { findProgram } from './find-program.js';
import type { Binaries, Probe, ProviderContext, ServerProvider } from './provider.js';
import { startOnFreePorts } from './start-server.js';

/** BullMQ's recommended minimum. */
const OLDEST = [6, 2] as const;
const PROBE_MS = 3000;

/** Redis: wakes workers, is never the truth; still kept across restarts, so that a wake is not lost for nothing. */
export const redisProvider: ServerProvider<UrlConnection> = {
  name: 'redis',
  title: 'Redis',
  variable: 'REDIS_URL',

  fromEnvironment: ({ env }) => (env['REDIS_URL'] ? { url: env['REDIS_URL'] } : undefined),

  probe: ({ url }) => probe(url),

  async findBinaries({ env }) {
    const folder = findProgram('redis-server', env['PATH']);
    if (folder === undefined) return undefined;
    const program = join(folder, 'redis-server');
    const { output } = await runCommand(program, ['--version'], { timeoutMs: 5000 });
    const version = /v=(\d+)\.(\d+)[^\s]*/.exec(output);
    return isRecent(Number(version?.[1]), Number(version?.[2]))
      ? { folder, detail: `Redis ${version?.[0].slice(2)}, ${program}` }
      : undefined;
  },

  packageFor: () => ({
    suite: 'trixie',
    name: 'redis-server',
    binaryFolder: 'usr/bin',
    binaries: ['redis-server', 'redis-cli'],
  }),

  refusal: () => undefined,

  start: (binaries, context) => start(binaries, context),
};

async function probe(url: string): Promise<Probe> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: PROBE_MS,
    commandTimeout: PROBE_MS,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  let lastError: unknown;
  client.on('error', (error) => (lastError = error));
  try {
    await client.connect();
    const info = await client.info('server');
    const version = /redis_version:(\d+)\.(\d+)\S*/.exec(info);
    if (!isRecent(Number(version?.[1]), Number(version?.[2]))) {
      return { ok: false, code: 'unsuitable', why: `Redis ${OLDEST.join('.')} or newer is needed` };
    }
    return { ok: true, detail: `Redis ${version?.[0].slice('redis_version:'.length)}` };
  } catch (thrown) {
    return { ok: false, code: 'unreachable', why: reasonOf(lastError ?? thrown) };
  } finally {
    client.disconnect();
  }
}

function start(binaries: Binaries, { state, supervisor }: ProviderContext): Promise<UrlConnection> {
  const folder = state.folder('servers', 'redis');
  const password = state.known.secrets.redis;
  return startOnFreePorts('Redis', supervisor.logOf('redis'), async () => {
    const port = await pickPort();
    const connection = { url: `redis://:${password}@127.0.0.1:${port}` };
    const config = join(folder, 'redis.conf');
    // In a file, since arguments can be seen by every user of the machine.
    writeFileSync(config, configuration(folder, port, password), { mode: 0o600 });
    const outcome = await supervisor.start({
      name: 'redis',
      command: join(binaries.folder, 'redis-server'),
      args: [config],
      env: plainEnvironment(),
      cwd: '/',
      stopSignal: 'SIGTERM',
      graceMs: 10_000,
      tier: 0,
      isReady: async () => (await probe(connection.url)).ok,
      readyTimeoutMs: 20_000,
    });
    return { outcome, connection };
  });
}

function configuration(folder: string, port: number, password: string): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir ${JSON.stringify(folder)}`,
    'appendonly yes',
    'save ""',
    // BullMQ's requirement: a job must never be dropped to make room.
    'maxmemory-policy noeviction',
    'daemonize no',
    '',
  ].join('\n');
}

function isRecent(major: number, minor: number): boolean {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
