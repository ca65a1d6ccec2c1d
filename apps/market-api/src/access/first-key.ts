import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import type { ApiKeyRepository } from './api-key.repository.js';
import { hashApiKey, isApiKeyText, newApiKey } from './key-text.js';
import { SCOPES } from './scope.js';

export type FirstKeyOutcome =
  /** A key was made, written to the file, and its hash stored. */
  | 'created'
  /** The file's key is known and active. */
  | 'kept'
  /** The database has no administrator key, as after it was made anew: the file's key was stored again. */
  | 'restored'
  /** The file holds something that is not an active key of this database; it was left alone. */
  | 'stale';

/** What the first key is called in the list of keys. */
const FIRST_KEY_NAME = 'first administrator';

/**
 * Sees to it that the operator has an administrator key: on the first start one is made and written to `path`, readable
 * by its owner only. The file is written before the database, so that a stop in between loses nothing: the next start
 * stores the file's key. A file that is missing later gets a new key, because whoever can delete it runs the service.
 */
export async function ensureFirstKey(keys: ApiKeyRepository, path: string): Promise<FirstKeyOutcome> {
  const text = await readKeyFile(path);
  if (text !== undefined) {
    const standing = isApiKeyText(text) ? await keys.standing(text) : 'revoked';
    if (standing === 'active') return 'kept';
    if (standing === 'revoked') return 'stale';
    const key = { id: randomUUID(), hash: hashApiKey(text), name: FIRST_KEY_NAME, scopes: SCOPES };
    const fact = { actor: 'service', action: 'api-key.restore', target: key.id };
    return (await keys.addFirst(key, fact)) ? 'restored' : 'stale';
  }
  const { id, text: fresh, hash } = newApiKey();
  await writeKeyFile(path, fresh);
  const fact = { actor: 'service', action: 'api-key.create', target: id, data: { scopes: [...SCOPES] } };
  await keys.add({ id, hash, name: FIRST_KEY_NAME, scopes: SCOPES }, fact);
  return 'created';
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (failure) {
    if ((failure as { code?: unknown }).code === 'ENOENT') return undefined;
    throw unusable('read', path, failure);
  }
}

/** Says which setting is to blame; the system's own words name a temporary file. */
function unusable(verb: 'read' | 'written', path: string, failure: unknown): Error {
  const code = (failure as { code?: unknown }).code;
  return new Error(`API_KEY_FILE ${path} can't be ${verb}: ${String(code ?? failure)}`);
}

/** Renamed into place, so that nobody reads half a key; mode 0600 whatever the umask. */
async function writeKeyFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomUUID()}`;
  try {
    await writeFile(temporary, `${text}\n`, { mode: 0o600, flag: 'wx' });
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (failure) {
    await rm(temporary, { force: true });
    throw unusable('written', path, failure);
  }
}
