import { readFileSync } from 'node:fs';

/** One process for ever: a pid alone may be given to another process after the first has ended. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot, as /proc prints it. */
  readonly startTicks: string;
}

/** The start time of a running process (proc(5), field 22 of stat), or undefined when it is gone or a zombie. */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** This very process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: startTicksOf(process.pid) ?? '' };
}

/** Whether exactly this process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return startTicksOf(identity.pid) === identity.startTicks;
}

/** Sends a signal to a process and to the group it leads; one that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
    } catch {
      // Gone already, or it never led a group.
    }
  }
}
