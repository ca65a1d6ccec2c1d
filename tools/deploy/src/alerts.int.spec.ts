import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bringTool } from '@seedfleet/fleet';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectFile } from './files.js';

let promtool: string;

beforeAll(async () => {
  const installed = spawnSync('promtool', ['--version']).status === 0;
  promtool = installed
    ? 'promtool'
    : join(
        await bringTool({ suite: 'trixie', name: 'prometheus', binaryFolder: 'usr/bin', binaries: ['promtool'] }),
        'promtool',
      );
});

function run(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(promtool, args, {
    encoding: 'utf8',
    cwd: projectFile('deploy/prometheus'),
  });
  return { status, output: stdout + stderr };
}

describe('Prometheus', () => {
  it('accepts the configuration and the alert rules', () => {
    expect(run('check', 'config', 'prometheus.yml')).toMatchObject({ status: 0 });
  });

  it('raises each alert when it should, and only then', () => {
    expect(run('test', 'rules', 'alerts.test.yml')).toMatchObject({
      status: 0,
      output: expect.stringContaining('SUCCESS'),
    });
  });
});
