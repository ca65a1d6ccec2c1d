import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { World } from '../world/world.js';

const HASH_CHARACTERS = 64;

/** What a line of the signing log says, as much of it as the proof needs. */
export interface WrittenLine {
  readonly seq: number;
  readonly kind: string;
  readonly previous: string;
  /** Of the first line of a continuation. */
  readonly memory?: string;
  readonly txid?: string;
  /** Of a settlement. */
  readonly path?: string;
  readonly channel?: string;
  readonly k?: number;
}

export const signingLogOf = ({ fleet }: World): string => fleet.state.file('services', 'channel-signer', 'signing.log');

/** Where a segment of a log is; the first has its name. */
export const segmentOf = (log: string, segment: number): string => (segment === 1 ? log : `${log}.${segment}`);

/**
 * Reads a log, and what continues it, without the program that wrote it. Throws where a line does not follow from the one before, and
 * where what is remembered before the newest file is not what its first line names.
 */
export function linesIn(log: string): WrittenLine[] {
  const found: WrittenLine[] = [];
  let head = '0'.repeat(HASH_CHARACTERS);
  for (let segment = 1; existsSync(segmentOf(log, segment)); segment += 1) {
    const path = segmentOf(log, segment);
    const texts = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const [place, text] of texts.entries()) {
      const json = text.slice(HASH_CHARACTERS + 1);
      const line = JSON.parse(json) as WrittenLine;
      const hash = sha256(json);
      if (line.previous !== head || line.seq !== found.length + 1 || hash !== text.slice(0, HASH_CHARACTERS)) {
        throw new Error(`line ${place + 1} of ${path} does not follow`);
      }
      const continues = line.kind === 'continued';
      if (continues !== (place === 0 && segment > 1)) throw new Error(`${path} does not begin as a continuation`);
      const memory = `${path}.memory`;
      const isThere = existsSync(memory) || !existsSync(segmentOf(log, segment + 1));
      if (continues && isThere && sha256(readFileSync(memory, 'utf8')) !== line.memory) {
        throw new Error(`what is remembered before ${path} is not what it names`);
      }
      if (line.kind === 'ended') {
        if (place !== texts.length - 1 || !existsSync(segmentOf(log, segment + 1)))
          throw new Error(`${path} has no end`);
        continue;
      }
      found.push(line);
      head = hash;
    }
  }
  return found;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Everything that was sent or filed is in the log, once; of each key one channel, and its payments only ever rise. */
export async function logFaults(world: World): Promise<string[]> {
  const lines = linesIn(signingLogOf(world));
  const written = lines.flatMap(({ txid }) => txid ?? []);
  const sent = await world.database.query<{ txid: string }>(
    `SELECT "settlementTxid" AS "txid" FROM channel.channel WHERE "settlementTxid" IS NOT NULL
     UNION SELECT "txid" FROM channel.checkpoint
     UNION SELECT "txid" FROM channel.treasury_transaction`,
  );
  const known = new Set(written);
  const faults = sent.flatMap(({ txid }) => (known.has(txid) ? [] : [`${txid} was sent and not written down`]));
  if (sent.length === 0) faults.push('nothing was settled');
  return [...faults, ...lineFaults(lines)];
}

/** Nothing twice; of each key one channel, and its payments only ever rise. */
export function lineFaults(lines: readonly WrittenLine[]): string[] {
  const written = lines.flatMap(({ txid }) => txid ?? []);
  const faults = new Set(written).size === written.length ? [] : ['something was written twice'];
  const highest = new Map<string, WrittenLine>();
  for (const line of lines) {
    if (line.path === undefined) continue;
    const before = highest.get(line.path);
    highest.set(line.path, line);
    if (before === undefined) continue;
    if (before.channel !== line.channel) faults.push(`the key ${line.path} has settled two channels`);
    if ((before.k ?? 0) >= (line.k ?? 0)) faults.push(`${line.path}: payment ${line.k} was signed after ${before.k}`);
  }
  return faults;
}
