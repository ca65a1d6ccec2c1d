import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A user of this machine, as servers are run with. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user a server that refuses root has to run as: Postgres's own where there is one, else nobody. Undefined when
 * this process is not root, since it then runs servers as itself.
 */
export function unprivilegedOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** Whether a user can pass through a folder and all that lead to it; asked of the system, which knows all its rules. */
export function canReach(folder: string, owner: Owner | undefined): boolean {
  const { status } = spawnSync('test', ['-x', folder], { ...owner, cwd: '/', stdio: 'ignore' });
  return status === 0;
}
