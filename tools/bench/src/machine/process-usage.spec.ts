import { spawn } from 'node:child_process';
import { expect, it, vi } from 'vitest';
import { treeCpuSeconds } from './process-usage.js';

const BURNT_MS = 300;

it('keeps counting what a process of the tree used after it has ended', async () => {
  const burn = `const end = performance.now() + ${BURNT_MS}; while (performance.now() < end);`;
  // The shell stays until its input ends, and says when its child has.
  const parent = spawn('sh', ['-c', '"$0" -e "$1"; echo ended; read _', process.execPath, burn], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    let said = '';
    parent.stdout.on('data', (part: Buffer) => (said += part.toString()));
    const seen: number[] = [];
    await vi.waitFor(
      () => {
        seen.push(treeCpuSeconds(parent.pid ?? 0));
        expect(said).toBe('ended\n');
      },
      { timeout: 30_000, interval: 20 },
    );
    seen.push(treeCpuSeconds(parent.pid ?? 0));
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    // On a busy machine the child had less of its time than passed, but it had to start.
    expect(seen.at(-1)).toBeGreaterThan(0);
  } finally {
    parent.kill();
  }
}, 40_000);
