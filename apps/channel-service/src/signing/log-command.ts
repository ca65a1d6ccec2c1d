import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { SigningLogError, type SigningLine } from './log-lines.js';
import { readSigningLog, segmentFile, segmentsOf } from './log-segments.js';

export const SIGNING_LOG_USAGE = `npm run signing-log -- verify FILE
npm run signing-log -- show FILE [--path EPOCH/INDEX] [--txid TXID]

verify reads every line, of FILE and of those that continue it (FILE.2, …), and says whether each follows from the one before, what
is remembered between them from the lines, where the log ends, and what is in it. That nothing
is missing at its end can't be seen in the file: compare the number of the last line with seedfleet_signer_log_position.
show prints lines as JSON, all or those of one key or transaction: the payments of settlements are in them, for a database that has
lost them.
Both may be used while the signer writes.
`;

/**
 * Runs one command on a signer's log. Returns the exit code: 0 whole, 1 not, 2 the command line makes no sense.
 * @param write where the text goes
 */
export function runSigningLogCommand(args: readonly string[], write: (text: string) => void): number {
  let parsed;
  try {
    const text = { type: 'string' } as const;
    parsed = parseArgs({ args: [...args], allowPositionals: true, options: { path: text, txid: text } });
  } catch (thrown) {
    write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${SIGNING_LOG_USAGE}`);
    return 2;
  }
  const [verb, file, ...more] = parsed.positionals;
  if ((verb !== 'verify' && verb !== 'show') || file === undefined || more.length > 0) {
    write(SIGNING_LOG_USAGE);
    return 2;
  }
  if (segmentsOf(file).length === 0) {
    write(`${file} does not exist\n`);
    return 1;
  }
  try {
    if (verb === 'verify') verify(file, write);
    else show(file, parsed.values, write);
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof SigningLogError)) throw thrown;
    write(`${thrown.code}: ${thrown.message}\n`);
    return 1;
  }
}

function verify(file: string, write: (text: string) => void): void {
  const counts = new Map<string, number>();
  let whose = '';
  let lastAt = '';
  const { seq, head, bytes, segment } = readSigningLog(file, (line) => {
    if (line.kind === 'begun') whose = `of seed ${line.seedId} on ${line.network}`;
    else if (line.kind !== 'continued') counts.set(line.kind, (counts.get(line.kind) ?? 0) + 1);
    lastAt = line.at;
  });
  const kinds = [...counts].map(([kind, count]) => `${count} ${kind}`);
  const inFiles = segment === 1 ? '' : ` in ${segment} files`;
  write(
    `whole: ${seq} lines${inFiles} ${whose}\nlast at ${lastAt || 'no time'}, hash ${head}\n${kinds.join(', ') || 'nothing signed'}\n`,
  );
  const cutOff = statSync(segmentFile(file, segment)).size - bytes;
  if (cutOff > 0) write(`${cutOff} bytes after it are no whole line: being written, or cut off by a crash\n`);
}

function show(
  file: string,
  { path, txid }: { readonly path?: string; readonly txid?: string },
  write: (text: string) => void,
): void {
  const isMeant = (line: SigningLine): boolean => {
    if (!('txid' in line)) return path === undefined && txid === undefined;
    if (txid !== undefined && line.txid !== txid && !(line.kind === 'child' && line.of === txid)) return false;
    return path === undefined || (line.kind === 'settlement' && line.path === path);
  };
  readSigningLog(file, (line) => {
    if (isMeant(line)) write(`${JSON.stringify(line)}\n`);
  });
}
