import { describe, expect, it } from 'vitest';
import { metricInventory } from './metric-inventory.js';
import { monitoringFaults } from './monitoring-faults.js';
import { metricNamesIn } from './promql-names.js';

describe('monitoring', () => {
  it('fits together: metrics, rules, tests of rules, runbooks, dashboards', async () => {
    expect(await monitoringFaults()).toEqual([]);
  });

  it('knows the metrics of every service', async () => {
    const owners = new Set([...(await metricInventory()).values()].map(({ owner }) => owner));
    expect([...owners].sort()).toEqual(
      [
        'apps/chain-watcher',
        'apps/channel-service',
        'apps/market-api',
        'apps/swarm-node',
        'libs/service-kit',
        'process',
      ].sort(),
    );
  });

  it.each([
    ['rate(a_total{code=~"b|c"}[5m])', ['a_total']],
    ['sum by (state, le) (increase(a_bucket[1h])) / on() group_left b:c:d > 0.5', ['a_bucket', 'b:c:d']],
    ['time() - max(a) > 3 * 3600 and on() sum(b) >= 5 or vector(1)', ['a', 'b']],
    ['a{x="}"} offset 5m unless c', ['a', 'c']],
  ])('reads which metrics %s names', (expression, names) => {
    expect(metricNamesIn(expression)).toEqual(names);
  });
});
