import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';

/** A log larger than this at a start is moved to FILE.1 first, so a fleet's logs stay below about twice this each. */
const ROTATE_ABOVE_BYTES = 16 * 1024 * 1024;

/** Opens a process's log for appending and returns the descriptor; the caller closes it. */
export function openLog(file: string): number {
  try {
    if (statSync(file).size > ROTATE_ABOVE_BYTES) renameSync(file, `${file}.1`);
  } catch {
    // No log yet.
  }
  return openSync(file, 'a', 0o600);
}

/** The size of a log now: what a process writes later starts here. */
export function logSize(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** What was appended since an offset, at most the last `maxBytes` of it. */
export function logSince(file: string, offset: number, maxBytes = 8192): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const size = fstatSync(descriptor).size;
    const from = Math.max(offset, size - maxBytes);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    readSync(descriptor, bytes, 0, bytes.length, from);
    return bytes.toString('utf8');
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The last lines of a text that are not blank, for an error message. */
export function lastLines(text: string, count: number): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}
