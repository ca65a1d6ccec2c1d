import { readFileSync } from 'node:fs';

/** The package's version: from the compiled program and from the sources it lies at the same place. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
