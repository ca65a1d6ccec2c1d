import { readFileSync } from 'node:fs';
import { isAlive, startTicksOf, type ProcessIdentity } from '../supervise/process-identity.js';

const POLL_MS = 500;
/** npm starts a shell that starts this process. */
const MAX_GENERATIONS = 3;

/**
 * Watches the npm that started this process and calls back when it is gone: whoever kills `npm start` means the fleet,
 * and npm passes a SIGKILL on to nobody. Returns how to stop watching.
 */
export function onLauncherGone(callback: () => void): () => void {
  if (process.env['npm_lifecycle_event'] === undefined) return () => undefined;
  const launchers = ancestors(process.ppid);
  const timer = setInterval(() => {
    if (launchers.every(isAlive)) return;
    clearInterval(timer);
    callback();
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The processes between this one and the npm that started it, npm included; none if there is no npm among them. */
function ancestors(parent: number): readonly ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  let pid = parent;
  for (let generation = 0; generation < MAX_GENERATIONS && pid > 1; generation += 1) {
    const startTicks = startTicksOf(pid);
    if (startTicks === undefined) return [];
    found.push({ pid, startTicks });
    const line = readProc(pid, 'cmdline');
    if (/npm/.test(line) && !/^(sh|bash|dash)\0-c/.test(line)) return found;
    const stat = readProc(pid, 'stat');
    pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  }
  return [];
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
