import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { canSyncAlways } from '@seedfleet/bus';
import { reasonOf } from '../errors.js';
import { pickPort } from '../free-port.js';
import { plainEnvironment, runCommand } from '../run-command.js';
import type { NatsConnection } from './connections.js';
import { findProgram } from './find-program.js';
import { adminUrl, fleetAccount } from './nats-users.js';
import type { Binaries, Probe, ProviderContext, ServerProvider } from './provider.js';
import { startOnFreePorts } from './start-server.js';
import { writeAtomically, type StateDir } from '../state/state-dir.js';

const PROBE_MS = 3000;

/** NATS with JetStream: requests between services and the durable streams. */
export const natsProvider: ServerProvider<NatsConnection> = {
  name: 'nats',
  title: 'NATS',
  variable: 'NATS_URL',

  fromEnvironment: ({ env }) =>
    env['NATS_URL'] ? { url: env['NATS_URL'], monitorUrls: env['NATS_MONITOR_URLS'] ?? '' } : undefined,

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

const ACCOUNT = 'account.conf';
const PID = 'nats.pid';

/** Writes the users of a server of our own as they are now. */
function writeAccount(state: StateDir): void {
  writeAtomically(join(state.folder('servers', 'nats'), ACCOUNT), fleetAccount(state));
}

/**
 * Has a running server of our own read its users again: whoever is connected with what is no credential any more is cut off.
 * False where none runs.
 */
export function reloadUsers(state: StateDir): boolean {
  const folder = state.folder('servers', 'nats');
  writeAccount(state);
  try {
    const pid = Number(readFileSync(join(folder, PID), 'utf8'));
    // A server that was killed leaves the file, and its number may be somebody else's now.
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(folder, 'nats.conf'))) return false;
    process.kill(pid, 'SIGHUP');
    return true;
  } catch {
    return false;
  }
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

function start(binaries: Binaries, { state, supervisor }: ProviderContext): Promise<NatsConnection> {
  const folder = state.folder('servers', 'nats');
  return startOnFreePorts('NATS', supervisor.logOf('nats'), async () => {
    const port = await pickPort();
    const monitorPort = await pickPort();
    const connection = { url: adminUrl(state, port), monitorUrls: `http://127.0.0.1:${monitorPort}` };
    const config = join(folder, 'nats.conf');
    const text = configuration(folder, { port, monitorPort }, state);
    writeFileSync(config, text, { mode: 0o600 });
    writeAccount(state);
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

interface Ports {
  readonly port: number;
  readonly monitorPort: number;
}

function configuration(folder: string, { port, monitorPort }: Ports, state: StateDir): string {
  return [
    `server_name: seedfleet-${state.id}`,
    `listen: "127.0.0.1:${port}"`,
    // Services ask it at their start how the server flushes.
    `http: "127.0.0.1:${monitorPort}"`,
    // An acknowledgement must mean the disk, not the page cache: it frees a piece's window slot.
    // The streams' upper limits are reserved against `max_file`, which else is three quarters of what the disk has free.
    `jetstream { store_dir: ${JSON.stringify(join(folder, 'jetstream'))}, sync_interval: always, max_file: 32GB }`,
    // Batches of payments may be up to 256 KiB, answers with torrents' piece lists more.
    'max_payload: 8MB',
    `pid_file: ${JSON.stringify(join(folder, PID))}`,
    // Apart, so that credentials can be changed while the server runs.
    `include ${JSON.stringify(ACCOUNT)}`,
    '',
  ].join('\n');
}
