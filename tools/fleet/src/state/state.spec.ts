import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lock, releaseLocks } from './folder-lock.js';
import { publishRun, withdrawRun, type RunFile } from './run-file.js';
import { StateDir } from './state-dir.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the state folder', () => {
  it('keeps its identity and secrets, privately', () => {
    const first = StateDir.open(join(folder, 'new'));
    first.remember({ postgresMajor: 15 });
    const second = StateDir.open(join(folder, 'new'));
    expect(second.known).toEqual(first.known);
    expect(second.known.postgresMajor).toBe(15);
    expect(statSync(join(folder, 'new', 'fleet.json')).mode & 0o777).toBe(0o600);
  });

  it("leaves foreign files and the folder's mode alone", () => {
    chmodSync(folder, 0o700);
    writeFileSync(join(folder, 'letter.txt'), 'dear reader');
    StateDir.open(folder);
    expect(readFileSync(join(folder, 'letter.txt'), 'utf8')).toBe('dear reader');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.each(['{"kind":"something else"}', 'not json', ''])('refuses a fleet.json that holds %j', (text) => {
    writeFileSync(join(folder, 'fleet.json'), text);
    expect(() => StateDir.open(folder)).toThrowError(expect.objectContaining({ code: 'state-dir-unusable' }) as Error);
    expect(readFileSync(join(folder, 'fleet.json'), 'utf8')).toBe(text);
  });

  it('refuses a file in its place', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => StateDir.open(join(folder, 'file'))).toThrowError(
      expect.objectContaining({ code: 'state-dir-unusable' }) as Error,
    );
  });

  it('belongs to one fleet at a time, but not to a dead one', () => {
    const state = StateDir.open(folder);
    lock(state, 'fleet');
    expect(() => lock(state, 'fleet')).toThrowError(expect.objectContaining({ code: 'state-dir-busy' }) as Error);
    releaseLocks(state);
    // The pid of a living process with another start time: a pid given away again.
    writeFileSync(state.file('fleet.lock'), JSON.stringify({ pid: process.pid, startTicks: '1' }));
    lock(state, 'fleet');
    releaseLocks(state);
    expect(existsSync(state.file('fleet.lock'))).toBe(false);
  });

  it('shows run.json only between publishing and withdrawing', () => {
    const state = StateDir.open(folder);
    publishRun(state, { id: state.id } as RunFile);
    expect(JSON.parse(readFileSync(state.file('run.json'), 'utf8'))).toEqual({ id: state.id });
    withdrawRun(state);
    withdrawRun(state);
    expect(existsSync(state.file('run.json'))).toBe(false);
  });
});
