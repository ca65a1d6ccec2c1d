import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runFiles } from './run.js';

const REFERENCE = fileURLToPath(new URL('../fixtures/reference/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const reference = (name: string): string => readFileSync(join(REFERENCE, name), 'utf8');

describe('the vectors of the reference', () => {
  it('all pass, and the deliberate differences are the known ones', async () => {
    const report = await runFiles([REFERENCE]);
    expect(report.failures).toEqual([]);
    expect(report.passed).toBeGreaterThan(600);
    expect(Object.fromEntries(report.ruleUses)).toEqual({
      'payment-beyond-cap': 13,
      'repeated-mapping': 1,
      'uninstall-without-mapping': 1,
      'funding-unusable': 1,
      'mapping-repeated-id': 1,
      'mapping-prefix': 1,
    });
  }, 60_000);

  it('are told by content, not by name', async () => {
    const transcript = write('a.txt', reference('transcript-modes.json'));
    const log = write('b', reference('transcript-modes.seller.events.json'));
    const alone = await runFiles([transcript]);
    const accompanied = await runFiles([log, transcript]);
    expect(alone.failures).toEqual([]);
    expect(accompanied.failures).toEqual([]);
    expect(accompanied.passed).toBe(alone.passed + 1);
  });
});

describe('files that are no vectors', () => {
  it.each([
    ['an empty file', ''],
    ['other JSON', '{"a":1}'],
    ['broken JSON', '{"messages":'],
    ['a broken line', '{"conn":1,"open":true}\n{"conn":'],
  ])('fail: %s', async (_, content) => {
    const report = await runFiles([write('file.json', content)]);
    expect(report.failures).toHaveLength(1);
    expect(report.passed).toBe(0);
  });

  it('fail when they are not there', async () => {
    expect((await runFiles([join(folder, 'nowhere.json')])).failures).toHaveLength(1);
  });
});

describe('a vector that differs', () => {
  const tampered = async (name: string, from: string | RegExp, to: string): Promise<number> => {
    const text = reference(name);
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    return (await runFiles([write(`${name}.tampered`, changed)])).failures.length;
  };

  it('is reported in every form', async () => {
    expect(await tampered('wire.json', '"verdict": "throws"', '"verdict": "accepts"')).toBe(1);
    expect(await tampered('wire.json', '"maxLock": "65535"', '"maxLock": "65534"')).toBe(1);
    expect(await tampered('paymentchannel.json', /"sighash": "[0-9a-f]{2}/, '"sighash": "00')).toBe(1);
    expect(await tampered('paymentchannel.json', '"accepted": false', '"accepted": true')).toBe(1);
    expect(
      await tampered(
        'scenarios.json',
        /"numberOfPayments": "3",\s*"amountPaid"/,
        '"numberOfPayments": "2", "amountPaid"',
      ),
    ).toBe(1);
    expect(
      await tampered('transcript-modes.json', '0000000000000015000000050', '0000000000000016000000050'),
    ).toBeGreaterThan(0);
  }, 60_000);
});
