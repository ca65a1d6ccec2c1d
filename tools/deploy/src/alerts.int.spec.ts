import { beforeAll, describe, expect, it } from 'vitest';
import { promtool } from './monitoring/promtool.js';

let run: Awaited<ReturnType<typeof promtool>>;

beforeAll(async () => {
  run = await promtool();
});

describe('Prometheus', () => {
  it('accepts the configuration and the rules', () => {
    expect(run('check', 'config', 'prometheus.yml')).toMatchObject({ status: 0 });
  });

  it('raises each alert when it should, and only then', () => {
    expect(run('test', 'rules', 'alerts.test.yml')).toMatchObject({
      status: 0,
      output: expect.stringContaining('SUCCESS'),
    });
  });
});
