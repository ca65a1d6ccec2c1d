import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { reasonOf } from '../errors.js';
import { pickPort } from '../free-port.js';
import { plainEnvironment, runCommand } from '../run-command.js';
import type { UrlConnection } from './connections.js';
import { findProgram } from './find-program.js';
import type { Binaries, Probe, ProviderContext, ServerProvider } from './provider.js';
import { startOnFreePorts } from './start-server.js';

const PROBE_MS = 3000;
const USER = 'seedfleet';

/** NATS with JetStream: requests between services and the durable streams. */
export const natsProvider: ServerProvider<UrlConnection> = {
  name: 'nats',
  title: 'NATS',
  variable: 'NATS_URL',

  fromEnvironment: ({ env }) => (env['NATS_URL'] ? { url: env['NATS_URL'] } : undefined),

  probe: ({ url }) => probe(url),

  async findBinaries({ env }) {
    const folder = findProgram('nats-server', env['PATH']);
    if (folder === undefined) return undefined;
    const program = join(folder, 'nats-server');
    const { output } = await runCommand(program, ['--version'], { timeoutMs: 5000 });
    const version = /v(\d+\.\d+\.\d+)/.exec(output)?.[1];
    return version !== undefined && canSyncAlways(version)
      ? { folder, detail: `NATS ${version}, ${program}` }
      : undefined;
  },

  packageFor: () => ({ suite: 'trixie', name: 'nats-server', binaryFolder: 'usr/sbin', binaries: ['nats-server'] }),

  refusal: () => undefined,

  start: (binaries, context) => start(binaries, context),
};

/**
 * Whether a server version can be told to write every message through to the disk before it acknowledges it
 * (`sync_interval: always`, since 2.10), leaving out 2.10.20 to 2.10.22, which must not be used.
 */
export function canSyncAlways(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  if (major !== 2) return major > 2;
  if (minor !== 10) return minor > 10;
  return patch > 22;
}

async function probe(url: string): Promise<Probe> {
  try {
    const { servers, ...credentials } = splitUrl(url);
    const connection = await connect({ servers, ...credentials, timeout: PROBE_MS, reconnect: false });
    try {
      const { version, jetstream } = connection.info ?? {};
      if (jetstream !== true) return { ok: false, code: 'unsuitable', why: 'it runs without JetStream' };
      return { ok: true, detail: `NATS ${version}` };
    } finally {
      await connection.close();
    }
  } catch (thrown) {
    return { ok: false, code: 'unreachable', why: reasonOf(thrown) };
  }
}

/** The client takes credentials apart from the addresses. */
function splitUrl(url: string): { servers: string; user?: string; pass?: string; token?: string } {
  const parsed = new URL(url);
  const user = decodeURIComponent(parsed.username);
  const pass = decodeURIComponent(parsed.password);
  const servers = parsed.host;
  if (user === '') return { servers };
  return pass === '' ? { servers, token: user } : { servers, user, pass };
}

function start(binaries: Binaries, { state, supervisor }: ProviderContext): Promise<UrlConnection> {
  const folder = state.folder('servers', 'nats');
  const password = state.known.secrets.nats;
  return startOnFreePorts('NATS', supervisor.logOf('nats'), async () => {
    const port = await pickPort();
    const connection = { url: `nats://${USER}:${password}@127.0.0.1:${port}` };
    const config = join(folder, 'nats.conf');
    writeFileSync(config, configuration(join(folder, 'jetstream'), port, state.id, password), { mode: 0o600 });
    const outcome = await supervisor.start({
      name: 'nats',
      command: join(binaries.folder, 'nats-server'),
      args: ['-c', config],
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

function configuration(store: string, port: number, id: string, password: string): string {
  return [
    `server_name: seedfleet-${id}`,
    `listen: "127.0.0.1:${port}"`,
    // An acknowledgement must mean the disk, not the page cache: it frees a piece's window slot.
    // The streams' upper limits are reserved against `max_file`, which else is three quarters of what the disk has free.
    `jetstream { store_dir: ${JSON.stringify(store)}, sync_interval: always, max_file: 32GB }`,
    `authorization { user: ${USER}, password: "${password}" }`,
    // Batches of payments may be up to 256 KiB, answers with torrents' piece lists more.
    'max_payload: 8MB',
    '',
  ].join('\n');
}
