import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SigningLog, type SigningEntry, type SigningLine } from './signing-log.js';

const OURS = { seedId: 'ab12', network: 'regtest' };

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signing-log-'));
  path = join(folder, 'deeper', 'signing.log');
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

const opened = (onLine: (line: SigningLine) => void = () => undefined) => SigningLog.open(path, OURS, onLine);

/** The ks of all settlements in it. */
async function reopened(): Promise<number[]> {
  const found: number[] = [];
  const log = await opened((line) => line.kind === 'settlement' && found.push(line.k));
  await log.close();
  return found;
}

async function written(...ks: number[]): Promise<void> {
  const log = await opened();
  await Promise.all(ks.map((k) => log.append(entry(k))));
  await log.close();
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
    await expect(SigningLog.open(path, { ...OURS, ...other }, () => undefined)).rejects.toMatchObject({
      code: 'signing-log-of-another-seed',
    });
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
