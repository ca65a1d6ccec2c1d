import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FleetError } from '../errors.js';
import { plainEnvironment } from '../run-command.js';
import { lastLines } from '../supervise/log-file.js';
import type { Supervisor } from '../supervise/supervisor.js';

/** A package of a Debian release that carries a server this machine lacks. */
export interface DebianPackage {
  readonly suite: string;
  readonly name: string;
  /** Where it has its programs, without the leading slash. */
  readonly binaryFolder: string;
  readonly binaries: readonly string[];
}

const SCRIPT = fileURLToPath(new URL('../../scripts/get-debian.sh', import.meta.url));
const WORKSHOP = '.unpacking-';
/** Up to 100 MB from a mirror. */
const TIMEOUT_MS = 10 * 60_000;

/**
 * The folder that all fleets of this user share for brought packages. Root's is readable by all, because its Postgres
 * runs as another user; home folders seldom are.
 */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const configured = env['SEEDFLEET_CACHE'];
  if (configured !== undefined && configured !== '') return configured;
  if (process.getuid?.() === 0) return '/var/cache/seedfleet';
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'seedfleet');
}

/** The folder with the package's programs, if it has been brought already. */
export function broughtBinaries(wanted: DebianPackage, cache: string): string | undefined {
  const folder = join(cache, folderName(wanted), 'root', wanted.binaryFolder);
  return wanted.binaries.every((name) => existsSync(join(folder, name))) ? folder : undefined;
}

/**
 * Downloads and unpacks a package into the cache; returns the folder with its programs. Fleets that do so at once each
 * unpack in a folder of their own, and the first to finish gives it its name.
 */
export async function bringPackage(wanted: DebianPackage, cache: string, supervisor: Supervisor): Promise<string> {
  let workshop: string | undefined;
  try {
    mkdirSync(cache, { recursive: true, mode: 0o755 });
    clearAbandoned(cache);
    workshop = mkdtempSync(join(cache, WORKSHOP));
  } catch (thrown) {
    throw failure(wanted, `${cache} can't be written: ${String(thrown)}`);
  }
  try {
    const unpacked = join(workshop, 'package');
    const { exitCode, errorOutput } = await supervisor.run({
      name: `bring-${wanted.name}`,
      command: 'sh',
      args: [SCRIPT, unpacked, wanted.suite, wanted.name, wanted.binaryFolder, ...wanted.binaries],
      env: { ...plainEnvironment(), ...proxySettings() },
      cwd: '/',
      timeoutMs: TIMEOUT_MS,
    });
    if (exitCode !== 0) throw failure(wanted, lastLines(errorOutput, 4) || `exit code ${exitCode}`);
    const destination = join(cache, folderName(wanted));
    try {
      renameSync(unpacked, destination);
    } catch (thrown) {
      // Another fleet was first, which is as good.
      if (broughtBinaries(wanted, cache) === undefined) throw failure(wanted, String(thrown));
    }
    return join(destination, 'root', wanted.binaryFolder);
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

/** What a killed tool was unpacking; none takes longer than the time allowed. */
function clearAbandoned(cache: string): void {
  for (const entry of readdirSync(cache).filter((name) => name.startsWith(WORKSHOP))) {
    const folder = join(cache, entry);
    const status = statSync(folder, { throwIfNoEntry: false });
    if (status !== undefined && Date.now() - status.mtimeMs > 2 * TIMEOUT_MS) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function folderName({ name, suite }: DebianPackage): string {
  return `${name}-${suite}`;
}

function failure(wanted: DebianPackage, why: string): FleetError {
  return new FleetError(
    'bring-failed',
    `Debian's package ${wanted.name} (${wanted.suite}) could not be brought`,
    why,
    'check the network and the apt configuration, install the server yourself, or name a running one in the environment',
  );
}

/** apt honours these; everything else of our environment stays out of it. */
function proxySettings(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
