import { accessSync, constants, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Where system packages put servers; often not on an ordinary user's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin'];

/** The folder of the first program of this name on the PATH or in the system's folders, links resolved. */
export function findProgram(name: string, pathVariable: string | undefined): string | undefined {
  const folders = [...(pathVariable ?? '').split(delimiter).filter((folder) => folder !== ''), ...SYSTEM_FOLDERS];
  const folder = folders.find((candidate) => isExecutable(join(candidate, name)));
  return folder === undefined ? undefined : dirname(realpathOf(join(folder, name), name));
}

/** Whether this user may run a file. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The link's target if it keeps the name: Debian's redis-server is a link to a program that looks at its own name. */
function realpathOf(file: string, name: string): string {
  const target = realpathSync(file);
  return target.endsWith(`/${name}`) ? target : file;
}
