import { existsSync, readFileSync } from 'node:fs';
import { SECRET_VARIABLES } from '@seedfleet/service-kit';
import ts from 'typescript';
import { projectFile } from '../files.js';

/** docs/configuration.md, from the schemas of the services: the variables, their comments, defaults and kinds. */

interface Variable {
  readonly name: string;
  readonly meaning: string;
  readonly kind: string;
  /** Null: must be set. Empty: may be left out. */
  readonly fallback: string | null;
}

const KIT = 'libs/service-kit/src/config.ts';
/** Where the service kit keeps fragments that several services spread into their schemas. */
const FRAGMENTS = [
  KIT,
  'libs/service-kit/src/broker-durability.ts',
  'libs/service-kit/src/network/networks.ts',
] as const;
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  'swarm-node': ['apps/swarm-node/src/config.ts'],
  'channel-service': ['apps/channel-service/src/config.ts'],
  'channel-service with ROLE=signer': ['apps/channel-service/src/signing/config.ts'],
  'chain-watcher': ['apps/chain-watcher/src/config.ts'],
  'market-api': ['apps/market-api/src/configuration.ts', 'apps/market-api/src/config.ts'],
};

/** The text of docs/configuration.md. Throws for a variable without a comment. */
export function configurationReference(): string {
  const kit = parse(KIT);
  const fragments = FRAGMENTS.map(parse);
  const common = variablesOf(kit, objectOf(kit, 'commonConfig'), fragments);
  const parts = Object.entries(SERVICES).map(([service, files]) => {
    const path = files.find((file) => existsSync(projectFile(file)));
    if (path === undefined) throw new Error(`where ${service} reads its configuration is not known`);
    const source = parse(path);
    return `## ${service}\n\n${tableOf(variablesOf(source, extensionOf(source), fragments))}`;
  });
  return `# Configuration

Made by \`npm run references\` from the services' schemas; change it there. Services read the environment once, at start, and
refuse to start with exit code 78 and a line naming each mistake. Empty variables count as absent. A secret may stand in a
file instead, named by the variable with \`_FILE\`: ${SECRET_VARIABLES.map((name) => `\`${name}_FILE\``).join(', ')}.

## Every service

${tableOf(common)}
${parts.join('\n')}`;
}

function tableOf(variables: readonly Variable[]): string {
  const rows = variables.map(({ name, kind, fallback, meaning }) => {
    const value = fallback === null ? '**needed**' : fallback === '' ? '' : `\`${fallback}\``;
    return `| \`${name}\` | ${kind} | ${value} | ${meaning.replaceAll('|', '\\|')} |`;
  });
  return ['| variable | kind | default | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readFileSync(projectFile(path), 'utf8'), ts.ScriptTarget.Latest, true);
}

/** The object literal in a variable's value: \`z.object({ … })\` or the object itself. */
function objectOf(source: ts.SourceFile, name: string): ts.ObjectLiteralExpression {
  const value = valueOf(source, name);
  const found = value === undefined ? undefined : firstObject(value);
  if (found === undefined) throw new Error(`${source.fileName} has no object ${name}`);
  return found;
}

/** What a service adds to \`commonConfig.extend({ … })\`. */
function extensionOf(source: ts.SourceFile): ts.ObjectLiteralExpression {
  let found: ts.ObjectLiteralExpression | undefined;
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText().replace(/\s/g, '') === 'commonConfig.extend') {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isObjectLiteralExpression(argument)) found = argument;
    }
    node.forEachChild(visit);
  };
  visit(source);
  if (found === undefined) throw new Error(`${source.fileName} does not extend commonConfig`);
  return found;
}

function firstObject(node: ts.Node): ts.ObjectLiteralExpression | undefined {
  if (ts.isObjectLiteralExpression(node)) return node;
  return node.forEachChild(firstObject);
}

function valueOf(source: ts.SourceFile, name: string): ts.Expression | undefined {
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const declaration of statement.declarationList.declarations) {
      if (declaration.name.getText() === name) return declaration.initializer;
    }
  }
  return undefined;
}

function variablesOf(
  source: ts.SourceFile,
  object: ts.ObjectLiteralExpression,
  fragments: readonly ts.SourceFile[],
): Variable[] {
  return object.properties.flatMap((property): Variable[] => {
    if (ts.isSpreadAssignment(property)) {
      const name = property.expression.getText();
      const from = fragments.find((file) => valueOf(file, name) !== undefined);
      if (from === undefined) throw new Error(`where ${name} is defined is not known`);
      return variablesOf(from, objectOf(from, name), fragments);
    }
    if (!ts.isPropertyAssignment(property)) return [];
    const name = property.name.getText();
    const meaning = commentOf(source, property);
    if (meaning === '') throw new Error(`${source.fileName}: ${name} has no comment`);
    // A schema that has a name of its own counts with its text.
    const text = property.initializer.getText();
    const [word = ''] = /^\w+/.exec(text) ?? [];
    const value = [source, ...fragments].map((file) => valueOf(file, word)).find((each) => each !== undefined);
    const schema = (value?.getText() ?? '') + text;
    return [{ name, meaning, kind: kindOf(schema), fallback: fallbackOf(schema) }];
  });
}

function commentOf(source: ts.SourceFile, node: ts.Node): string {
  const comments = ts.getLeadingCommentRanges(source.text, node.getFullStart()) ?? [];
  const last = comments.at(-1);
  if (last === undefined) return '';
  return source.text
    .slice(last.pos, last.end)
    .replace(/^\/\*\*?|\*\/$/g, '')
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function kindOf(schema: string): string {
  const options = /z\.enum\(\[([^\]]*)\]/.exec(schema)?.[1];
  if (options !== undefined) {
    return [...options.matchAll(/'([^']+)'/g)].map(([, option]) => `\`${option}\``).join(', ');
  }
  if (schema.includes('z.stringbool')) return '`true`, `false`';
  if (schema.includes('z.coerce.number')) return 'whole number';
  if (schema.includes('z.url')) return 'URL';
  return 'text';
}

function fallbackOf(schema: string): string | null {
  const given = /\.default\(([^)]*)\)/.exec(schema)?.[1];
  if (given !== undefined) return given.replace(/^'|'$/g, '').replaceAll('_', '');
  return schema.includes('.optional()') ? '' : null;
}
