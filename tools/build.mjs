// "Install if missing, build if stale", shared by every command of the project that runs compiled code. Plain
// JavaScript, needs nothing installed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openGuard } from './start/guard.mjs';

export const root = fileURLToPath(new URL('../', import.meta.url));

const CACHE = join(root, '.cache');
const STAMPS = join(CACHE, 'built.json');
const LOCK = join(CACHE, 'build.lock');
const LOCK_WAIT_MS = 10 * 60_000;
/** What the compiler and the generators read. */
const SOURCES = ['libs', 'apps', 'tools', 'prisma', 'tsconfig.base.json', 'tsconfig.json', 'package-lock.json'];
const NOT_SOURCES = new Set(['node_modules', 'dist', 'generated', '.cache']);

/** A step of preparing the project failed: what, why, and what to do about it. */
export class PrepareError extends Error {
  constructor(what, why, todo) {
    super(`${what}: ${why}`);
    Object.assign(this, { what, why, todo });
  }
}

/** Makes sure that the packages of the lock file are installed. Returns whether it had to install. */
export async function ensureInstalled(guard = openGuard()) {
  if (isInstalled()) return false;
  return underLock(async () => {
    if (isInstalled()) return false;
    const { exitCode, output } = await guard.run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
    });
    if (exitCode !== 0) {
      throw new PrepareError(
        'npm ci failed',
        npmErrors(output),
        'check the network and the npm registry, then try again',
      );
    }
    return true;
  });
}

/**
 * Makes sure that the compiled code is that of the sources.
 * @param projects folders to build with what they refer to; none means everything, the dashboard included
 * @returns whether it had to build
 */
export async function ensureBuilt(guard = openGuard(), projects = []) {
  if (isBuilt(projects)) return false;
  return underLock(async () => {
    if (isBuilt(projects)) return false;
    const before = fingerprint();
    await generate(guard);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const compiled = await guard.run(process.execPath, [tsc, '-b', ...projects], { cwd: root });
    if (compiled.exitCode !== 0) {
      throw new PrepareError(
        'the build failed',
        lastLines(compiled.output, 12),
        'correct the sources, or update the checkout',
      );
    }
    if (projects.length === 0) await buildDashboard(guard);
    // The fingerprint from before: a file that changed meanwhile makes the next build.
    const stamps = readStamps();
    stamps[stampName(projects)] = before;
    writeFileSync(STAMPS, JSON.stringify(stamps));
    return true;
  });
}

/** For commands other than `npm start`: builds if stale, saying so on standard error; ends the process on failure. */
export async function prepare(projects = []) {
  if (isInstalled() && isBuilt(projects)) return;
  const guard = openGuard();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.once(signal, () => {
      guard.endAll();
      process.exit(130);
    });
  }
  try {
    if (!isInstalled()) process.stderr.write('installing packages…\n');
    await ensureInstalled(guard);
    if (!isBuilt(projects)) process.stderr.write('building…\n');
    await ensureBuilt(guard, projects);
  } catch (thrown) {
    if (!(thrown instanceof PrepareError)) throw thrown;
    process.stderr.write(`${thrown.what}\n${thrown.why}\nTo do: ${thrown.todo}\n`);
    process.exit(1);
  } finally {
    guard.dismiss();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal);
  }
}

async function generate(guard) {
  const { exitCode, output } = await guard.run('npm', ['run', 'generate', '-w', '@seedfleet/persistence'], {
    cwd: root,
  });
  if (exitCode !== 0) {
    throw new PrepareError(
      'generating the database client failed',
      lastLines(output, 8),
      'correct prisma/schema.prisma',
    );
  }
}

async function buildDashboard(guard) {
  if (!existsSync(join(root, 'apps/dashboard/package.json'))) return;
  const { exitCode, output } = await guard.run('npm', ['run', 'build', '-w', '@seedfleet/dashboard'], { cwd: root });
  if (exitCode !== 0)
    throw new PrepareError('building the dashboard failed', lastLines(output, 8), 'correct its sources');
}

/**
 * Whether node_modules holds what the lock file names: npm leaves a copy of what it installed, and an interrupted
 * installation leaves none. Packages for other platforms may be missing.
 */
function isInstalled() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const installed = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  if (wanted === undefined || installed === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.link) return true;
    const there = installed[path];
    return there === undefined ? entry.optional === true : there.version === entry.version;
  });
}

function isBuilt(projects) {
  const stamps = readStamps();
  const now = fingerprint();
  return stamps[stampName([])] === now || stamps[stampName(projects)] === now;
}

function stampName(projects) {
  return projects.length === 0 ? 'everything' : [...projects].sort().join(' ');
}

function readStamps() {
  return readJson(STAMPS) ?? {};
}

/** Changes when any source file is added, removed or written, or a built project's output is gone. */
function fingerprint() {
  const hash = createHash('sha256');
  const visit = (path) => {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) return;
    if (!status.isDirectory()) {
      hash.update(`${path}\0${status.size}\0${status.mtimeMs}\n`);
      return;
    }
    for (const entry of readdirSync(path).sort()) if (!NOT_SOURCES.has(entry)) visit(join(path, entry));
    if (existsSync(join(path, 'tsconfig.json'))) hash.update(`${existsSync(join(path, 'dist'))}\n`);
  };
  for (const source of SOURCES) visit(join(root, source));
  return hash.digest('hex');
}

/** Two commands that find the same stale build don't build at once. The lock of a dead process counts for nothing. */
async function underLock(work) {
  mkdirSync(CACHE, { recursive: true });
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      break;
    } catch (thrown) {
      if (thrown.code !== 'EEXIST')
        throw new PrepareError('the build folder is unusable', thrown.message, `check ${CACHE}`);
    }
    const holder = Number(readText(LOCK));
    if (holder > 0 && !existsSync(`/proc/${holder}`)) rmSync(LOCK, { force: true });
    if (Date.now() > deadline)
      throw new PrepareError('another build does not end', `process ${holder}`, `remove ${LOCK}`);
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** npm names the cause first and ends with its usage. */
function npmErrors(output) {
  const lines = output.split('\n').filter((line) => /^npm (error|ERR!) \S/.test(line));
  return (lines.length === 0 ? output.split('\n') : lines).slice(0, 6).join('\n');
}

function lastLines(text, count) {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}
