import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { FAULT_POINTS, faultPoint } from './fault-points.js';

const folder = mkdtempSync(join(tmpdir(), 'fault-points-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Passes a point several times in a process of its own; how far it came, and how it ended. */
function run(killAt: string, passages: number) {
  const module = fileURLToPath(new URL('../dist/fault-points.js', import.meta.url));
  const script = `import { faultPoint } from ${JSON.stringify(module)};
    for (let n = 1; n <= ${passages}; n += 1) { process.stdout.write(String(n)); faultPoint('node.piece.after-send'); }`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { SEEDFLEET_KILL_AT: killAt },
    encoding: 'utf8',
  });
  return { passed: child.stdout, signal: child.signal, status: child.status };
}

describe('fault points', () => {
  it('have names of their own', () => {
    expect(new Set(FAULT_POINTS).size).toBe(FAULT_POINTS.length);
  });

  it('do nothing without an order', () => {
    expect(faultPoint('node.piece.after-send')).toBeUndefined();
    expect(run('', 3)).toEqual({ passed: '123', signal: null, status: 0 });
  });

  it('kill at the named passage', () => {
    expect(run('node.piece.after-send', 3)).toEqual({ passed: '1', signal: 'SIGKILL', status: null });
    expect(run('node.piece.after-send#2', 3)).toEqual({ passed: '12', signal: 'SIGKILL', status: null });
    expect(run('node.piece.before-send', 3)).toEqual({ passed: '123', signal: null, status: 0 });
  });

  it('kill once for an order in a file', () => {
    const file = join(folder, 'order');
    writeFileSync(file, 'node.piece.after-send#3\n');
    expect(run(`@${file}`, 2).signal).toBe(null);
    expect(run(`@${file}`, 4)).toMatchObject({ passed: '123', signal: 'SIGKILL' });
    expect(existsSync(file)).toBe(false);
    expect(run(`@${file}`, 4).passed).toBe('1234');
  });

  it('refuse an order that names no point', () => {
    expect(run('node.piece.aftersend', 1).status).toBe(1);
    expect(run('node.piece.after-send#0', 1).status).toBe(1);
  });
});
