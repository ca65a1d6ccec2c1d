import { constants } from 'node:fs';
import { access, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { textOf, type JsonObject } from '../api-client.js';
import { allowOptions, ofState, rowLimit } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { operand } from '../operands.js';
import { fields, table } from '../table.js';
import { callersFolder } from '../target.js';
import { moment } from '../words.js';

const SCOPES = ['read', 'operate', 'money'];

export const listKeys: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['state-of', 'limit']);
  operand(operands, 0);
  const { rows, more } = await api.list('/v1/api-keys', ofState(options), rowLimit(options));
  output.result({ items: rows, more }, () =>
    table(
      [
        { title: 'ID' },
        { title: 'NAME' },
        { title: 'SCOPES' },
        { title: 'STATE' },
        { title: 'EXPIRES' },
        { title: 'LAST USED' },
      ],
      rows.map((row) => [
        textOf(row, 'id'),
        textOf(row, 'name'),
        scopesOf(row),
        textOf(row, 'state'),
        moment(textOf(row, 'expiresAt')) || 'never',
        moment(textOf(row, 'lastUsedAt')) || 'never',
      ]),
    ),
  );
  if (more) output.note('there are more; see --limit');
};

export const createKey: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['scope', 'expires']);
  const name = operand(operands, 1, 'a NAME for the key');
  const scopes = options.scope ?? [];
  const unknown = scopes.find((scope) => !SCOPES.includes(scope));
  if (scopes.length === 0 || unknown !== undefined) {
    throw new Failure('usage', `--scope is needed: one or more of ${SCOPES.join(', ')}`);
  }
  const expiry = options.expires === undefined ? {} : { expiresAt: instant(options.expires, '--expires') };
  const key = await api.call('POST', '/v1/api-keys', { name, scopes, ...expiry });
  output.result(key, () =>
    fields([
      ['id', textOf(key, 'id')],
      ['name', textOf(key, 'name')],
      ['scopes', scopesOf(key)],
      ['expires', moment(textOf(key, 'expiresAt')) || 'never'],
      ['key', textOf(key, 'key')],
    ]),
  );
  output.note('the key is shown only now');
};

export const revokeKey: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['and-made']);
  const id = operand(operands, 1, 'the ID of a key');
  const made = options['and-made'] === true;
  await api.call('DELETE', `/v1/api-keys/${encodeURIComponent(id)}${made ? '?made=true' : ''}`);
  output.result({ id, revoked: true }, () => `${id} is revoked${made ? ', with every key made with it' : ''}`);
};

export const rotateKey: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['and-made', 'out']);
  const id = operand(operands, 1, 'the ID of a key');
  const file = options.out === undefined ? undefined : resolve(callersFolder(), options.out);
  const body = { made: options['and-made'] === true };
  // A new key that can't be kept would leave nobody with one.
  if (file !== undefined) await mustBeWritable(file);
  const { key, ...rest } = await api.call('POST', `/v1/api-keys/${encodeURIComponent(id)}/rotate`, body);
  const text = textOf({ key }, 'key');
  if (file !== undefined) await writeKey(file, text);
  output.result(file === undefined ? { ...rest, key: text } : rest, () =>
    fields([
      ['id', textOf(rest, 'id')],
      ['name', textOf(rest, 'name')],
      ['scopes', scopesOf(rest)],
      ['expires', moment(textOf(rest, 'expiresAt')) || 'never'],
      ['revoked', Array.isArray(rest['revoked']) ? rest['revoked'].join(' ') : ''],
      ['key', file === undefined ? text : `in ${file}`],
    ]),
  );
  if (file === undefined) output.note('the key is shown only now');
};

async function mustBeWritable(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK);
  } catch (thrown) {
    throw new Failure('file-unwritable', `${file} can't be written: ${(thrown as Error).message}`);
  }
}

/** Readable by its owner only, and never half a key. */
async function writeKey(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, `${text}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function scopesOf(key: JsonObject): string {
  const { scopes } = key;
  return Array.isArray(scopes) ? scopes.join(' ') : '';
}

/** A time as the API takes it. A day without a time means its beginning, UTC. */
export function instant(text: string, name: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Failure('usage', `${name} must be a time as 2030-01-31 or 2030-01-31T12:00:00Z`);
  return new Date(ms).toISOString();
}
