import { readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { projectFile } from '../files.js';
import { ruleGroups } from '../monitoring/rules.js';
import { configurationReference } from './configuration.js';
import { metricsReference } from './metrics.js';

/** The rules of deploy/prometheus as the object that Prometheus' operator reads. */
function prometheusRule(): string {
  const object = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'seedfleet', labels: { 'app.kubernetes.io/part-of': 'seedfleet' } },
    spec: { groups: ruleGroups() },
  };
  return `# Made by \`npm run references\` from deploy/prometheus; change the rules there.\n${stringify(object, { lineWidth: 0 })}`;
}

/** Files that are made from others, by their path in the project. */
const REFERENCES: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/configuration.md': configurationReference,
  'docs/metrics.md': metricsReference,
  'k8s/monitoring/alerts/rules.yaml': prometheusRule,
};

/** The made files whose content is not what it should be now. */
export async function staleReferences(): Promise<string[]> {
  const stale = [];
  for (const [path, make] of Object.entries(REFERENCES)) {
    if (readIfThere(path) !== (await make())) stale.push(path);
  }
  return stale;
}

/** Makes them anew. Returns the ones that changed. */
export async function writeReferences(): Promise<string[]> {
  const stale = await staleReferences();
  for (const path of stale) writeFileSync(projectFile(path), (await REFERENCES[path]?.()) ?? '');
  return stale;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(projectFile(path), 'utf8');
  } catch {
    return undefined;
  }
}
