import { metricInventory, type Metric } from '../monitoring/metric-inventory.js';

/** Endings of a metric's name that tell its unit, the longest first. */
const UNITS: readonly (readonly [string, string])[] = [
  ['timestamp_seconds', 'Unix seconds'],
  ['seconds', 'seconds'],
  ['bytes', 'bytes'],
  ['satoshi', 'satoshi'],
  ['sat_per_kvb', 'satoshi per 1,000 vB'],
];

/** The unit of a metric, by its name; whatever counts things has none. */
export function unitOf({ name }: Pick<Metric, 'name'>): string {
  const bare = name.replace(/_total$/, '');
  return UNITS.find(([ending]) => bare.endsWith(`_${ending}`))?.[1] ?? '';
}

/** The text of docs/metrics.md. */
export async function metricsReference(): Promise<string> {
  const all = [...(await metricInventory()).values()].filter(({ owner }) => owner !== 'process');
  const owners = [...new Set(all.map(({ owner }) => owner))].sort();
  const parts = owners.map((owner) => {
    const own = all.filter((metric) => metric.owner === owner).sort((a, b) => (a.name < b.name ? -1 : 1));
    const rows = own.map((metric) => {
      const labels = metric.labels.map((label) => `\`${label}\``).join(', ');
      return `| \`${metric.name}\` | ${metric.type} | ${unitOf(metric)} | ${labels} | ${metric.help.replaceAll('|', '\\|')} |`;
    });
    return `## ${owner}\n\n| metric | type | unit | labels | help |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Metrics

Made by \`npm run references\` from the code. Every service also has the metrics of Node's own process (\`process_…\`,
\`nodejs_…\`), and each series the label \`service\`.

${parts.join('\n')}`;
}
