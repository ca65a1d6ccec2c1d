import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Absolute path of a file of the project. */
export function projectFile(path: string): string {
  return join(root, path);
}

/** The documents of a YAML text, merge keys resolved. Throws for YAML that is not well formed. */
export function readYamlDocuments(text: string): unknown[] {
  return parseAllDocuments(text, { merge: true }).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as unknown;
  });
}

/** The same of a file of the project. */
export function readYamlFile(path: string): unknown[] {
  return readYamlDocuments(readFileSync(projectFile(path), 'utf8'));
}
