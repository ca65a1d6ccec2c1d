import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createRegistry } from '@seedfleet/service-kit';
import ts from 'typescript';
import { projectFile } from '../files.js';

/** Every metric that the code defines, read from its sources: no service has to run, and none can be forgotten. */

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly labels: readonly string[];
  /** The part of the project that defines it, as `apps/swarm-node`; `process` for what Node's own client adds. */
  readonly owner: string;
}

const CLASSES: Readonly<Record<string, MetricType>> = {
  Counter: 'counter',
  Gauge: 'gauge',
  Histogram: 'histogram',
  Summary: 'summary',
};

/** The metrics of all services, by name. Throws for a definition that can't be read: it would be missing here. */
export async function metricInventory(): Promise<ReadonlyMap<string, Metric>> {
  const metrics = new Map<string, Metric>();
  for (const metric of [...(await processMetrics()), ...sourceFiles().flatMap(metricsOfFile)]) {
    const known = metrics.get(metric.name);
    if (known !== undefined) throw new Error(`${metric.name} is defined by ${known.owner} and by ${metric.owner}`);
    metrics.set(metric.name, metric);
  }
  return metrics;
}

/** The names of the series that Prometheus stores of a metric. */
export function seriesOf({ name, type }: Metric): string[] {
  if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  return type === 'summary' ? [name, `${name}_sum`, `${name}_count`] : [name];
}

async function processMetrics(): Promise<Metric[]> {
  const defined = await createRegistry('inventory').getMetricsAsJSON();
  return defined.map(({ name, help, type }) => ({
    name,
    help,
    type: String(type) as MetricType,
    labels: [],
    owner: 'process',
  }));
}

function sourceFiles(): string[] {
  return ['apps', 'libs'].flatMap((kind) =>
    readdirSync(projectFile(kind)).flatMap((project) => typescriptIn(projectFile(`${kind}/${project}/src`))),
  );
}

function typescriptIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' || entry.name === 'generated' ? [] : typescriptIn(path);
    return /\.tsx?$/.test(entry.name) && !entry.name.includes('.spec.') ? [path] : [];
  });
}

function metricsOfFile(path: string): Metric[] {
  const text = readFileSync(path, 'utf8');
  if (!/new (Counter|Gauge|Histogram|Summary)\b/.test(text)) return [];
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const owner = relative(projectFile('.'), path).split('/').slice(0, 2).join('/');
  const shorthands = new Map<string, { prefix: string; type: MetricType }>();
  const metrics: Metric[] = [];
  const fail = (node: ts.Node): never => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    throw new Error(`${path}:${line + 1}: this metric's name and help can't be read`);
  };
  // First the shorthands of a file, `const counter = (name, help, labels) => new Counter({ name: `prefix_${name}`, … })`.
  walk(source, (node) => {
    if (!ts.isNewExpression(node) || !ts.isIdentifier(node.expression)) return;
    const type = CLASSES[node.expression.text];
    if (type === undefined) return;
    const fields = node.arguments?.[0];
    if (fields === undefined || !ts.isObjectLiteralExpression(fields)) return fail(node);
    const name = property(fields, 'name');
    const shorthand = name !== undefined && ts.isTemplateExpression(name) ? variableOf(node) : undefined;
    if (shorthand !== undefined && name !== undefined && ts.isTemplateExpression(name)) {
      shorthands.set(shorthand, { prefix: name.head.text, type });
      return;
    }
    const help = property(fields, 'help');
    if (name === undefined || help === undefined || !isText(name) || !isText(help)) return fail(node);
    metrics.push({ name: name.text, type, help: help.text, labels: texts(property(fields, 'labelNames')), owner });
  });
  walk(source, (node) => {
    if (!ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return;
    const shorthand = shorthands.get(node.expression.text);
    if (shorthand === undefined) return;
    const [name, help, labels] = node.arguments;
    if (name === undefined || help === undefined || !isText(name) || !isText(help)) return fail(node);
    metrics.push({
      name: shorthand.prefix + name.text,
      type: shorthand.type,
      help: help.text,
      labels: texts(labels),
      owner,
    });
  });
  return metrics;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

function property(fields: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  for (const field of fields.properties) {
    if (ts.isPropertyAssignment(field) && field.name.getText() === name) return field.initializer;
  }
  return undefined;
}

/** The variable that holds the arrow function which makes this metric. */
function variableOf(node: ts.Node): string | undefined {
  const declaration = ts.findAncestor(node, ts.isVariableDeclaration);
  return declaration?.initializer !== undefined && ts.isArrowFunction(declaration.initializer)
    ? declaration.name.getText()
    : undefined;
}

function isText(node: ts.Expression): node is ts.StringLiteral | ts.NoSubstitutionTemplateLiteral {
  return ts.isStringLiteralLike(node);
}

/** The strings of an array, of buckets none. */
function texts(node: ts.Expression | undefined): string[] {
  const array = node !== undefined && ts.isAsExpression(node) ? node.expression : node;
  if (array === undefined || !ts.isArrayLiteralExpression(array)) return [];
  return array.elements.filter(isText).map(({ text }) => text);
}
