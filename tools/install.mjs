// Installs the dependencies when they are missing or older than the lock file. Plain JavaScript: it runs first.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));

/** npm writes this file last; it is as new as the installation. */
const INSTALLED = join(root, 'node_modules/.package-lock.json');

export function isInstalled() {
  return existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

/** Exits the process with npm's message when the installation fails. */
export function ensureInstalled() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`Node ${process.versions.node} is too old: 20.19 or later is needed`);
    process.exit(1);
  }
  if (isInstalled()) return;
  console.error('installing dependencies (npm ci)');
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status === 0) return;
  console.error('npm ci failed; its message is above');
  process.exit(1);
}
