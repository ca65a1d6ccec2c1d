import { z } from 'zod';
import { readYamlFile } from '../files.js';

const rule = z.strictObject({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const ruleFile = z.strictObject({
  groups: z.array(z.strictObject({ name: z.string(), interval: z.string().optional(), rules: z.array(rule) })),
});

export type RuleGroup = z.infer<typeof ruleFile>['groups'][number];

/** The files of deploy/prometheus that hold rules, in the order in which they are loaded. */
export const RULE_FILES = ['recording.yml', 'alerts.yml'] as const;

/** The groups of all rules. Throws for a field that Prometheus does not know. */
export function ruleGroups(): RuleGroup[] {
  return RULE_FILES.flatMap((name) => ruleFile.parse(readYamlFile(`deploy/prometheus/${name}`)[0]).groups);
}

const testFile = z.looseObject({
  tests: z.array(
    z.looseObject({
      alert_rule_test: z.array(z.looseObject({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })).optional(),
    }),
  ),
});

/** For each alert that the rule tests name, whether they make it fire, and whether they see it silent. */
export function testedAlerts(): Map<string, { fires: boolean; clears: boolean }> {
  const tested = new Map<string, { fires: boolean; clears: boolean }>();
  for (const { alert_rule_test: cases = [] } of testFile.parse(readYamlFile('deploy/prometheus/alerts.test.yml')[0])
    .tests) {
    let firedHere: string | undefined;
    for (const { alertname, exp_alerts: expected } of cases) {
      const known = tested.get(alertname) ?? { fires: false, clears: false };
      if (expected.length > 0) firedHere = alertname;
      // Silence counts as clearing only after the alert has fired in the same test.
      tested.set(alertname, {
        fires: known.fires || expected.length > 0,
        clears: known.clears || (expected.length === 0 && firedHere === alertname),
      });
    }
  }
  return tested;
}
