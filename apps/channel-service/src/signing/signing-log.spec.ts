import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SigningEntry, SigningLine } from './log-lines.js';
import { readSigningLog, segmentsOf } from './log-segments.js';
import { SignedBefore } from './signed-before.js';
import { SigningLog } from './signing-log.js';

const OURS = { seedId: 'ab12', network: 'regtest' };
const LONG_MS = 1_000_000_000;

let folder: string;
let path: string;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signing-log-'));
  path = join(folder, 'deeper', 'signing.log');
  now = 1_000_000_000_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const idOf = (n: number): string => n.toString(16).padStart(64, '0');
const entry = (n: number): SigningEntry => ({
  kind: 'settlement',
  path: `1/${n}`,
  txid: idOf(n),
  channel: idOf(n + 1),
  k: n,
  payment: '30',
});

const opened = (segmentLines = 1_000, keptForMs = LONG_MS) =>
  SigningLog.open(path, OURS, { segmentLines, keptForMs, now: () => now });

const linesOf = (): SigningLine[] => {
  const lines: SigningLine[] = [];
  readSigningLog(path, (line) => void lines.push(line));
  return lines;
};
const paymentsOf = (): number[] => linesOf().flatMap((line) => (line.kind === 'settlement' ? line.k : []));

/** The ks of all settlements in it, as a start and a reader of it all see them. */
async function reopened(): Promise<number[]> {
  const log = await opened();
  const ks = log.remembered.written().settlements.map(([, , k]) => k);
  await log.close();
  expect(paymentsOf()).toEqual(ks);
  return ks;
}

async function written(...ks: number[]): Promise<void> {
  const log = await opened();
  await Promise.all(ks.map((k) => log.append(entry(k))));
  await log.close();
}

/** In files of so many lines, one after the other. */
async function writtenIn(segmentLines: number, ks: readonly number[]): Promise<void> {
  const log = await opened(segmentLines);
  for (const k of ks) await log.append(entry(k));
  await log.close();
}

type Files = Record<string, Buffer>;
const filesNow = (): Files =>
  Object.fromEntries(
    readdirSync(join(folder, 'deeper')).map((name) => [name, readFileSync(join(folder, 'deeper', name))]),
  );
function put(files: Files): void {
  rmSync(join(folder, 'deeper'), { recursive: true, force: true });
  mkdirSync(join(folder, 'deeper'));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, 'deeper', name), bytes);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

it('holds what was appended, in order, over restarts, also where many come at once', async () => {
  for (const round of [0, 1]) await written(...upTo(50).map((n) => round * 50 + n));
  expect(await reopened()).toEqual(upTo(100));
  const log = await opened();
  await log.append(entry(100));
  expect(log.position).toMatchObject({ seq: 102, bytes: readFileSync(path).length });
  await log.close();
});

it('cuts off a last line that has no end: its signature never left', async () => {
  await written(0);
  appendFileSync(path, readFileSync(path).subarray(0, 100));
  expect(await reopened()).toEqual([0]);
  await written(1);
  expect(await reopened()).toEqual([0, 1]);
});

it('opens no log of which a byte was changed or a line taken out, and none of another seed', async () => {
  await written(...upTo(5));
  const whole = readFileSync(path);
  await fc.assert(
    // The last line's end may be missing: that line is cut off.
    fc.asyncProperty(fc.nat(whole.length - 2), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ flip;
      writeFileSync(path, changed);
      await expect(reopened()).rejects.toMatchObject({ code: 'signing-log-broken' });
    }),
    { numRuns: 200 },
  );
  const lines = whole.toString('utf8').split('\n');
  for (const gone of [0, 1, 3]) {
    writeFileSync(path, lines.filter((_, place) => place !== gone).join('\n'));
    await expect(reopened()).rejects.toMatchObject({ code: 'signing-log-broken' });
  }
  writeFileSync(path, whole);
  for (const other of [{ seedId: 'cd' }, { network: 'mainnet' }]) {
    await expect(SigningLog.open(path, { ...OURS, ...other }, { segmentLines: 9, keptForMs: 0 })).rejects.toMatchObject(
      {
        code: 'signing-log-of-another-seed',
      },
    );
  }
  expect(await reopened()).toEqual(upTo(5));
});

it('writes nothing more once somebody else has written to it', async () => {
  const log = await opened();
  await written(1);
  await expect(log.append(entry(2))).rejects.toMatchObject({ code: 'signing-log-unwritable' });
  await expect(log.append(entry(3))).rejects.toMatchObject({ code: 'signing-log-unwritable' });
  await expect(log.settled()).rejects.toMatchObject({ code: 'signing-log-unwritable' });
  expect(log.fault).toContain('somebody else');
  await log.close();
  expect(await reopened()).toEqual([1]);
});

it('goes on in further files, over restarts, and remembers at a start what all of its lines say', async () => {
  const RUNS = fc.array(fc.nat(9), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(RUNS, fc.integer({ min: 2, max: 7 }), fc.boolean(), async (runs, segmentLines, isLost) => {
      rmSync(join(folder, 'deeper'), { recursive: true, force: true });
      let next = 0;
      for (const run of runs) {
        await writtenIn(
          segmentLines,
          upTo(run).map((n) => next + n),
        );
        next += run;
      }
      expect(paymentsOf()).toEqual(upTo(next));
      const newest = segmentsOf(path).at(-1) ?? 1;
      expect(newest).toBeGreaterThanOrEqual(Math.floor(next / segmentLines));
      // What is remembered is made anew from the lines where it is lost; where it is there, the lines before are not looked at.
      if (newest > 1) rmSync(isLost ? `${path}.${newest}.memory` : path);
      const all = new SignedBefore();
      for (const k of upTo(next)) all.note(entry(k), now);
      const log = await opened(segmentLines);
      expect(log.remembered.written()).toEqual(all.written());
      await log.close();
    }),
    { numRuns: 25 },
  );
});

it('has lost nothing, and is whole, wherever a plug is pulled while it goes on in another file', async () => {
  await writtenIn(4, [0, 1, 2]);
  const before = filesNow();
  await writtenIn(4, [3]);
  const after = filesNow();
  const second = after['signing.log.2'] ?? Buffer.alloc(0);
  const begun = second.indexOf(0x0a) + 1;
  // As they reach the disk; what is remembered has its name when it is whole.
  const writes: [string, Buffer][] = [
    ['signing.log.2.memory', after['signing.log.2.memory'] ?? Buffer.alloc(0)],
    ['signing.log.2', second.subarray(0, begun)],
    ['signing.log', (after['signing.log'] ?? Buffer.alloc(0)).subarray(before['signing.log']?.length)],
    ['signing.log.2', second.subarray(begun)],
  ];
  const total = writes.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  const pulledAt = async (reached: number): Promise<void> => {
    const files = { ...before };
    let left = reached;
    for (const [name, bytes] of writes) {
      const isWhole = left >= bytes.length;
      const there = name.endsWith('.memory') && !isWhole ? `${name}.partial` : name;
      files[there] = Buffer.concat([files[there] ?? Buffer.alloc(0), bytes.subarray(0, left)]);
      if (!isWhole) break;
      left -= bytes.length;
    }
    put(files);
    const isThere = reached === total;
    expect(paymentsOf()).toEqual(isThere ? [0, 1, 2, 3] : [0, 1, 2]);
    await writtenIn(4, isThere ? [4, 5, 6] : [3, 4, 5, 6]);
    expect(paymentsOf()).toEqual(upTo(7));
    const log = await opened(4);
    expect(log.remembered.written().settlements.map(([, , k]) => k)).toEqual(upTo(7));
    await log.close();
  };
  const ends = writes.map((_, place) => writes.slice(0, place + 1).reduce((sum, [, bytes]) => sum + bytes.length, 0));
  for (const end of [0, ...ends]) for (const by of [-1, 0, 1]) await pulledAt(Math.min(total, Math.max(0, end + by)));
  await fc.assert(fc.asyncProperty(fc.nat(total), pulledAt), { numRuns: 60 });
});

it('shows a change to any of its files, and does not start without the newest', async () => {
  await writtenIn(3, upTo(8));
  const whole = filesNow();
  const names = Object.keys(whole).sort();
  expect(names).toHaveLength(5);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.nat(1_000_000),
      fc.integer({ min: 1, max: 255 }),
      async (name, at, flip) => {
        const changed = Buffer.from(whole[name] ?? []);
        // The end of the last line of the newest may be missing.
        const place = at % (changed.length - 1);
        changed[place] = (changed[place] ?? 0) ^ flip;
        put({ ...whole, [name]: changed });
        expect(() => paymentsOf()).toThrow(expect.objectContaining({ code: 'signing-log-broken' }));
        if (name.startsWith('signing.log.4'))
          await expect(opened()).rejects.toMatchObject({ code: 'signing-log-broken' });
      },
    ),
    { numRuns: 200 },
  );
  // A copy of the first file alone, as of a log that is not continued; and one without its end.
  for (const kept of [['signing.log'], names.filter((name) => name !== 'signing.log.4')]) {
    put(Object.fromEntries(kept.map((name) => [name, whole[name] ?? Buffer.alloc(0)])));
    await expect(opened()).rejects.toMatchObject({ code: 'signing-log-broken' });
  }
  put(
    Object.fromEntries(
      names.filter((name) => name !== 'signing.log.2').map((name) => [name, whole[name] ?? Buffer.alloc(0)]),
    ),
  );
  expect(() => paymentsOf()).toThrow('signing.log.2 is missing');
});

it('keeps of keys that are long over that they are, from one file to the next', async () => {
  const log = await opened(4, 1_000);
  const append = (k: number): Promise<void> => {
    log.remembered.note(entry(k), now);
    return log.append(entry(k));
  };
  for (const k of [0, 1, 2]) await append(k);
  now += 5_000;
  for (const k of [3, 4, 5]) await append(k);
  // By the clock of the first file's beginning they are not old.
  expect(log.remembered.isOver('1/0')).toBe(false);
  for (const k of [6, 7]) await append(k);
  await log.close();
  const next = await opened(4, 1_000);
  for (const { remembered } of [log, next]) {
    for (const index of upTo(9)) expect(remembered.isOver(`1/${index}`), `1/${index}`).toBe(index <= 2);
    expect(remembered.settlement('1/2')).toBeUndefined();
    expect(remembered.settlement('1/3')).toMatchObject({ k: 3 });
  }
  await next.close();
  expect(paymentsOf()).toEqual(upTo(8));
});

it('is written by one signer only, also where another has gone on in a further file', async () => {
  const log = await opened(3);
  await log.append(entry(0));
  await log.append(entry(1));
  await writtenIn(3, [2]);
  await expect(log.append(entry(3))).rejects.toMatchObject({ code: 'signing-log-unwritable' });
  await log.close();
  expect(paymentsOf()).toEqual([0, 1, 2]);
});
