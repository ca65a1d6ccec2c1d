import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bringTool } from '@seedfleet/fleet';
import { projectFile } from '../files.js';

const PROMETHEUS = { suite: 'trixie', name: 'prometheus', binaryFolder: 'usr/bin', binaries: ['promtool'] } as const;

/** What a program of Prometheus said. */
export interface ToolResult {
  readonly status: number | null;
  readonly output: string;
}

/** A promtool that works in deploy/prometheus: the installed one, or Debian's. */
export async function promtool(): Promise<(...args: string[]) => ToolResult> {
  const installed = spawnSync('promtool', ['--version']).status === 0;
  const program = installed ? 'promtool' : join(await bringTool(PROMETHEUS), 'promtool');
  return (...args) => {
    const { status, stdout, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      cwd: projectFile('deploy/prometheus'),
    });
    return { status, output: stdout + stderr };
  };
}
