import { existsSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BOUNDARIES, TEST_LIBS, TEST_PACKAGES } from './boundaries.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const BUILTINS = new Set(builtinModules);
const SCOPE = '@seedfleet/';
/** Workspace packages that live in tools/. */
const TOOLS = new Set(['fleet', 'conformance', 'bench', 'fleetctl', 'interop', 'proof']);

const isAllowed = (list, name) =>
  list === '*' || list.some((entry) => (entry.endsWith('/*') ? name.startsWith(entry.slice(0, -1)) : name === entry));

/** Files of the workspace itself that configurations and launchers (outside src/) load. */
const SHARED_FILES = new Set(['vitest.base.js', 'tools/build.mjs']);

const isTestFile = (file) => /\.(int\.)?spec\.tsx?$|(^|\/)(test|testing)\//.test(file);

/** The reason why `specifier` may not be imported by `file` (absolute), or null. Exported for its own test. */
export function boundaryProblem(file, specifier) {
  const path = relative(root, file).split(sep).join('/');
  const project = path.split('/').slice(0, 2).join('/');
  const allowed = BOUNDARIES[project];
  if (allowed === undefined) return null;
  const test = isTestFile(path);
  // Configurations and launchers beside src/ are not part of the library.
  const launcher = !path.startsWith(`${project}/src/`);

  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('file:')) {
    const target = relative(root, resolve(dirname(file), specifier))
      .split(sep)
      .join('/');
    if (launcher && SHARED_FILES.has(target)) return null;
    return target.startsWith(`${project}/`) ? null : `${project} may not reach into ${target}`;
  }
  if (specifier.startsWith(SCOPE)) {
    const name = specifier.slice(SCOPE.length);
    if (name.includes('/')) return `${specifier}: import a library by its public entry`;
    if (existsSync(`${root}apps/${name}`)) return `nothing imports the app ${name}`;
    if (isAllowed(allowed.libs, name)) return null;
    if (test && TEST_LIBS.includes(name)) return null;
    return TOOLS.has(name) ? `${project} may not import the tool ${name}` : `${project} may not import ${specifier}`;
  }
  const bare = specifier.startsWith('node:') ? specifier.slice(5) : specifier;
  if (specifier.startsWith('node:') || BUILTINS.has(bare)) {
    if (test || launcher || isAllowed(allowed.node, `node:${bare}`)) return null;
    return `${project} is free of I/O and may not import node:${bare}`;
  }
  const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0];
  if (isAllowed(allowed.packages, specifier) || isAllowed(allowed.packages, name)) return null;
  if (test && isAllowed(TEST_PACKAGES, name)) return null;
  return `${project} may not import the package ${name}`;
}

/** ESLint rule on top of `boundaryProblem`. */
export const boundaryRule = {
  meta: { type: 'problem', schema: [], messages: { forbidden: '{{reason}} (tools/lint/boundaries.mjs)' } },
  create(context) {
    const check = (node) => {
      if (node?.type !== 'Literal' || typeof node.value !== 'string') return;
      const reason = boundaryProblem(context.filename, node.value);
      if (reason !== null) context.report({ node, messageId: 'forbidden', data: { reason } });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source),
      TSExternalModuleReference: (node) => check(node.expression),
      CallExpression: (node) => {
        if (node.callee.type === 'Identifier' && node.callee.name === 'require') check(node.arguments[0]);
      },
    };
  },
};
