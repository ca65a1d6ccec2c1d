import { existsSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { projectFile } from '../files.js';
import { panelQueries } from './dashboards.js';
import { metricInventory, seriesOf, type Metric } from './metric-inventory.js';
import { metricNamesIn } from './promql-names.js';
import { ruleGroups, testedAlerts } from './rules.js';

/** Series that others export: the scrape itself, and the cluster. */
const FROM_ELSEWHERE = new Set(['up', 'kubelet_volume_stats_available_bytes', 'kubelet_volume_stats_capacity_bytes']);

/** What is wrong with metrics, rules, runbooks and dashboards, each in a line; nothing when they fit together. */
export async function monitoringFaults(): Promise<string[]> {
  const metrics = await metricInventory();
  return [...metricFaults([...metrics.values()]), ...queryFaults([...metrics.values()]), ...alertFaults()];
}

function metricFaults(metrics: readonly Metric[]): string[] {
  return metrics
    .filter(({ owner }) => owner !== 'process')
    .flatMap(({ name, type, help }) => [
      ...(/^seedfleet(_[a-z0-9]+)+$/.test(name) ? [] : [`metric ${name}: not seedfleet_lower_case`]),
      ...(help.trim() === '' ? [`metric ${name} has no help`] : []),
      ...((type === 'counter') === name.endsWith('_total')
        ? []
        : [`metric ${name}: counters, and only they, end in _total`]),
    ]);
}

/** Every metric named in a rule or dashboard exists in the code. */
function queryFaults(metrics: readonly Metric[]): string[] {
  const rules = ruleGroups().flatMap((group) => group.rules);
  const known = new Set([
    ...metrics.flatMap(seriesOf),
    ...rules.flatMap(({ record }) => record ?? []),
    ...FROM_ELSEWHERE,
  ]);
  const queries = [
    ...rules.map(({ alert, record, expr }) => ({ where: `rule ${alert ?? record}`, expr })),
    ...panelQueries(),
  ];
  return queries.flatMap(({ where, expr }) =>
    metricNamesIn(expr)
      .filter((name) => !known.has(name))
      .map((name) => `${where}: no code defines ${name}`),
  );
}

function alertFaults(): string[] {
  const alerts = ruleGroups().flatMap(({ rules }) => rules.filter(({ alert }) => alert !== undefined));
  const tested = testedAlerts();
  const names = alerts.map(({ alert = '' }) => alert);
  const faults = alerts.flatMap(({ alert = '', labels = {}, annotations = {} }) => {
    const runbook = annotations['runbook'];
    return [
      ...(['page', 'warn'].includes(labels['severity'] ?? '') ? [] : [`alert ${alert}: severity is page or warn`]),
      ...(annotations['summary'] && annotations['description'] ? [] : [`alert ${alert} says too little`]),
      ...(runbook === `docs/runbooks/${alert}.md` && existsSync(projectFile(runbook))
        ? []
        : [`alert ${alert} has no runbook docs/runbooks/${alert}.md`]),
      ...(tested.get(alert)?.fires ? [] : [`alert ${alert}: no test makes it fire`]),
      ...(tested.get(alert)?.clears ? [] : [`alert ${alert}: no test sees it clear`]),
    ];
  });
  const orphans = readdirSync(projectFile('docs/runbooks'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => basename(file, '.md'))
    .filter((name) => name !== 'README' && !names.includes(name));
  return [...faults, ...orphans.map((name) => `runbook ${name}: no alert of that name`)];
}
