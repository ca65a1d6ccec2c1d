import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, ownIdentity, signalGroup, type ProcessIdentity } from './process-identity.js';

interface PidRecord extends ProcessIdentity {
  readonly name: string;
  readonly runner: ProcessIdentity;
}

/** How long a stray gets between the polite signal and SIGKILL. */
const STRAY_GRACE_MS = 4000;

/**
 * One small file per started process in the state folder: the second line of defence after the watchdog. A start that
 * finds records of a dead runner ends the processes they name.
 */
export class PidRecords {
  readonly #runner = ownIdentity();

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  add(name: string, identity: ProcessIdentity): void {
    const record: PidRecord = { name, ...identity, runner: this.#runner };
    try {
      writeFileSync(this.#file(identity.pid), JSON.stringify(record), { mode: 0o600 });
    } catch {
      // A full disk must not keep a crashed server from being started again; the watchdog knows of it all the same.
    }
  }

  remove(pid: number): void {
    rmSync(this.#file(pid), { force: true });
  }

  /** Ends what earlier, now dead runners left running; returns the names of what had to be ended. */
  async endStrays(): Promise<readonly string[]> {
    const strays = this.#read().filter(({ runner }) => !isAlive(runner));
    const living = strays.filter(isAlive);
    for (const { pid } of living) signalGroup(pid, 'SIGTERM');
    const deadline = Date.now() + STRAY_GRACE_MS;
    while (living.some(isAlive) && Date.now() < deadline) await sleep(50);
    for (const stray of living) if (isAlive(stray)) signalGroup(stray.pid, 'SIGKILL');
    while (living.some(isAlive) && Date.now() < deadline + 1000) await sleep(20);
    for (const { pid } of strays) this.remove(pid);
    return living.map(({ name }) => name);
  }

  #file(pid: number): string {
    return join(this.folder, `${pid}.json`);
  }

  #read(): readonly PidRecord[] {
    const records: PidRecord[] = [];
    for (const entry of readdirSync(this.folder)) {
      if (!/^\d+\.json$/.test(entry)) continue;
      try {
        records.push(JSON.parse(readFileSync(join(this.folder, entry), 'utf8')) as PidRecord);
      } catch {
        // Cut short by the death of its writer, before the process could do anything; the watchdog knew of it.
        rmSync(join(this.folder, entry), { force: true });
      }
    }
    return records;
  }
}
