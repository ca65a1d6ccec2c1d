import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { OPTIONS, type OptionName, type OptionSpec } from './options.js';
import { usageError } from './values.js';

type Configuration = { readonly [name in OptionName]?: string | boolean | readonly string[] };

/** The same names and values as on the command line; numbers may be written as numbers. */
const schema = z.strictObject(
  Object.fromEntries(
    Object.entries(OPTIONS)
      .filter(([name]) => name !== 'config')
      .map(([name, spec]: [string, OptionSpec]) => {
        const one = z.union([z.string(), z.int().min(0).transform(String)]);
        const value = spec.value === undefined ? z.boolean() : spec.multiple === true ? z.array(one) : one;
        return [name, (value as z.ZodType).optional()];
      }),
  ),
);

/**
 * Defaults from a file. One that is named must be there; the usual one may be missing.
 * Throws `BuyerError` with exit code 2 that says what is wrong with it.
 */
export function readConfiguration(
  named: string | undefined,
  environment: NodeJS.ProcessEnv,
  from: (path: string) => string,
): Configuration {
  const path = named === undefined ? usualPath(environment) : from(named);
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (failure) {
    const { code } = failure as NodeJS.ErrnoException;
    if (named === undefined && (code === 'ENOENT' || code === 'ENOTDIR')) return {};
    throw usageError(`${path} can't be read: ${code ?? String(failure)}`);
  }
  try {
    return schema.parse(JSON.parse(content)) as Configuration;
  } catch (failure) {
    const problems =
      failure instanceof z.ZodError
        ? failure.issues.map(({ path: at, message }) => `${at.join('.')}: ${message}`).join('; ')
        : String(failure);
    throw usageError(`${path} is no configuration: ${problems}`);
  }
}

function usualPath(environment: NodeJS.ProcessEnv): string {
  const folder = environment['XDG_CONFIG_HOME'];
  return join(folder === undefined || folder === '' ? join(homedir(), '.config') : folder, 'seedfleet-leecher.json');
}
