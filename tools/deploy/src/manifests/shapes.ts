import { join } from 'node:path';
import ts from 'typescript';
import { projectFile } from '../files.js';
import { nameOf, type Manifest } from './render.js';

const MODELS = 'kubernetes-models';
const OPERATOR = '@kubernetes-models/prometheus-operator';

/** The package and path of the models of each kind that we have; both are made from the schemas of Kubernetes and the CRDs. */
const MODULES: Readonly<Record<string, string>> = {
  v1: `${MODELS}/v1`,
  'apps/v1': `${MODELS}/apps/v1`,
  'batch/v1': `${MODELS}/batch/v1`,
  'autoscaling/v2': `${MODELS}/autoscaling/v2`,
  'policy/v1': `${MODELS}/policy/v1`,
  'networking.k8s.io/v1': `${MODELS}/networking.k8s.io/v1`,
  'monitoring.coreos.com/v1': `${OPERATOR}/monitoring.coreos.com/v1`,
};

/**
 * What is wrong with the shape of manifests: fields that the schema does not know, missing ones, wrong types. The models'
 * types are held against each manifest as a literal by the TypeScript compiler, which refuses what a type does not name;
 * the models' own validators let unknown fields pass.
 */
export function shapeFaults(manifests: readonly Manifest[]): string[] {
  const faults: string[] = [];
  const known = manifests.filter((manifest) => {
    if (MODULES[manifest.apiVersion] !== undefined) return true;
    faults.push(`${nameOf(manifest)}: no schema of ${manifest.apiVersion} to hold it against`);
    return false;
  });
  // One line per manifest, so that a complaint tells whose it is.
  const lines = known.map((manifest, index) => {
    const type = `import('${MODULES[manifest.apiVersion] ?? ''}').I${manifest.kind}`;
    return `export const manifest${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  for (const { line, text } of compile(lines.join('\n'))) {
    const manifest = known[line];
    faults.push(`${manifest === undefined ? 'manifests' : nameOf(manifest)}: ${text}`);
  }
  return faults;
}

function compile(source: string): { readonly line: number; readonly text: string }[] {
  // Where the models are found from.
  const path = join(projectFile('tools/deploy'), 'manifests-as-literals.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => name === path || fileExists.call(host, name);
  host.readFile = (name) => (name === path ? source : readFile.call(host, name));
  host.getSourceFile = (name, ...rest) =>
    name === path
      ? ts.createSourceFile(name, source, options.target ?? ts.ScriptTarget.ES2022)
      : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram([path], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => ({
    line: file?.fileName === path ? file.getLineAndCharacterOfPosition(start).line : -1,
    text: ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 400),
  }));
}
