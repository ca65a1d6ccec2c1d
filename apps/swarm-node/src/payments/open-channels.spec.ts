import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@seedfleet/service-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OpenChannels } from './open-channels.js';

let folder: string;
let warnings: number;
const logger = { warn: () => (warnings += 1) } as unknown as Logger;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'open-channels-'));
  warnings = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = () => OpenChannels.read(join(folder, 'deep', 'journal'), logger);

describe('the journal of open channels', () => {
  it('tells the next process what was left open, also after a torn line', () => {
    const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
    const journal = read();
    for (const id of [a, b, c]) journal.add(id);
    journal.remove(b);
    journal.remove(randomUUID());
    appendFileSync(join(folder, 'deep', 'journal'), `-${a.slice(0, 20)}`);
    expect(read().ids).toEqual([a, c]);
    expect(read().ids).toEqual([a, c]);
  });

  it('stays small however many channels come and go', () => {
    const journal = read();
    const stays = randomUUID();
    journal.add(stays);
    for (let sale = 0; sale < 6_000; sale++) {
      const id = randomUUID();
      journal.add(id);
      journal.remove(id);
    }
    expect(readFileSync(join(folder, 'deep', 'journal')).length).toBeLessThan(10_002 * 38);
    expect(read().ids).toEqual([stays]);
  });

  it('warns once when it can not be written, and goes on', () => {
    const journal = read();
    rmSync(folder, { recursive: true });
    const id = randomUUID();
    journal.add(id);
    journal.add(randomUUID());
    journal.remove(id);
    expect(warnings).toBe(1);
    expect(journal.ids).toHaveLength(1);
  });
});
