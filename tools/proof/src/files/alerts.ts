import { monitoringFaults, promtool, testedAlerts } from '@seedfleet/deploy';
import type { Scorecard } from '../scorecard.js';

/** Rules, runbooks and dashboards, by our own cross-check and by Prometheus' promtool. */
export async function proveAlerts(_short: boolean, scores: Scorecard): Promise<void> {
  await scores.run('metrics, rules, tests of rules, runbooks and dashboards fit together', monitoringFaults);
  const run = await promtool();
  await scores.run('promtool accepts the configuration', () =>
    Promise.resolve(faultsOf(run('check', 'config', 'prometheus.yml'))),
  );
  await scores.run(`promtool sees each of ${testedAlerts().size} alerts fire and clear`, () =>
    Promise.resolve(faultsOf(run('test', 'rules', 'alerts.test.yml'))),
  );
}

function faultsOf({ status, output }: { status: number | null; output: string }): string[] {
  return status === 0 ? [] : output.split('\n').filter((line) => line.trim() !== '');
}
