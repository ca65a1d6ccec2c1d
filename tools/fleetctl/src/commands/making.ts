import { setTimeout as sleep } from 'node:timers/promises';
import { resolve } from 'node:path';
import { objects, textOf, type ApiClient, type JsonObject } from '../api-client.js';
import { allowOptions, ofState, rowLimit, wholeNumber } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { operand } from '../operands.js';
import { fields, table } from '../table.js';
import { callersFolder } from '../target.js';
import { waitForSale } from '../wait-for-sale.js';
import { bytes, moment, percent } from '../words.js';
import { describeTorrent } from './torrents.js';

const POLL_MS = 500;
const MAX_PIECE_BYTES = 64 * 1024 * 1024;

export const makeTorrent: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['name', 'piece-length', 'private', 'label', 'tier', 'wait']);
  const path = resolve(callersFolder(), operand(operands, 1, 'the PATH of a file or folder'));
  const { name, 'piece-length': pieceLength, label: labels, tier } = options;
  const asked = await api.call('POST', '/v1/makings', {
    path,
    ...(name === undefined ? {} : { name }),
    ...(pieceLength === undefined
      ? {}
      : { pieceLengthBytes: wholeNumber(pieceLength, '--piece-length', MAX_PIECE_BYTES) }),
    ...(options.private === true ? { private: true } : {}),
    ...(labels === undefined ? {} : { labels }),
    ...(tier === undefined ? {} : { tier }),
  });
  if (options.wait !== true) {
    output.result(asked, () => describe(asked));
    output.note(`see: torrents makings ${textOf(asked, 'id')}`);
    return;
  }
  const made = await waitForMaking(api, asked, (line) => output.note(line));
  const added = await api.call('GET', `/v1/torrents/${textOf(made, 'infoHash')}`);
  const torrent = await waitForSale(api, added, (line) => output.note(line));
  output.result(torrent, () => describeTorrent(torrent));
};

export const listMakings: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['limit', 'state-of']);
  const [id, ...more] = operands;
  if (more[0] !== undefined) throw new Failure('usage', `unexpected: ${more[0]}`);
  if (id !== undefined) {
    const making = await api.call('GET', `/v1/makings/${encodeURIComponent(id)}`);
    return output.result(making, () => describe(making));
  }
  const { rows, more: further } = await api.list('/v1/makings', ofState(options), rowLimit(options));
  output.result({ items: rows, more: further }, () =>
    rows.length === 0
      ? 'no torrent was made here'
      : table(
          [
            { title: 'ID' },
            { title: 'ASKED' },
            { title: 'STATE' },
            { title: 'SIZE', right: true },
            { title: 'PATH' },
            { title: 'RESULT' },
          ],
          rows.map((row) => [
            textOf(row, 'id'),
            moment(textOf(row, 'createdAt')),
            stateOf(row),
            bytes(Number(row['totalBytes'])),
            textOf(row, 'path'),
            textOf(row, 'infoHash') || problemOf(row),
          ]),
        ),
  );
};

export const cancelMaking: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const id = operand(operands, 1, 'the ID of what is being made');
  const making = await api.call('DELETE', `/v1/makings/${encodeURIComponent(id)}`);
  output.result(making, () => describe(making));
};

/** The roots, or a folder below one. */
export const browseContent: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['limit']);
  const [path, ...more] = operands;
  if (more[0] !== undefined) throw new Failure('usage', `unexpected: ${more[0]}`);
  const limit = rowLimit(options);
  const entries: JsonObject[] = [];
  let after = '';
  do {
    const query = new URLSearchParams(path === undefined ? {} : { path: resolve(callersFolder(), path) });
    if (after !== '') query.set('after', after);
    const page = await api.call('GET', `/v1/content?${query}`);
    entries.push(...objects(page['entries']));
    after = textOf(page, 'nextAfter');
  } while (after !== '' && entries.length < limit);
  const shown = entries.slice(0, limit);
  output.result({ entries: shown, more: after !== '' || entries.length > limit }, () =>
    shown.length === 0
      ? path === undefined
        ? 'no content root is configured: see CONTENT_ROOTS of market-api'
        : 'nothing'
      : table(
          [{ title: 'KIND' }, { title: 'SIZE', right: true }, { title: 'PATH' }],
          shown.map((entry) => [
            textOf(entry, 'kind'),
            entry['sizeBytes'] === null ? '' : bytes(Number(entry['sizeBytes'])),
            textOf(entry, 'path'),
          ]),
        ),
  );
};

async function waitForMaking(api: ApiClient, asked: JsonObject, note: (line: string) => void): Promise<JsonObject> {
  let told = '';
  for (let making = asked; ; making = await api.call('GET', `/v1/makings/${textOf(asked, 'id')}`)) {
    const state = textOf(making, 'state');
    if (state === 'done') return making;
    if (state === 'failed' || state === 'cancelled')
      throw new Failure('not-made', state === 'failed' ? problemOf(making) : 'it was called off');
    const line = stateOf(making);
    if (line !== told) note((told = line));
    await sleep(POLL_MS);
  }
}

function stateOf(making: JsonObject): string {
  const state = textOf(making, 'state');
  const total = Number(making['totalBytes']);
  return state === 'hashing' && total > 0 ? `${state} ${percent(Number(making['hashedBytes']) / total)}` : state;
}

function problemOf(making: JsonObject): string {
  const problem = textOf(making, 'problem');
  return problem === '' ? '' : `${problem}: ${textOf(making, 'detail')}`;
}

function describe(making: JsonObject): string {
  return fields([
    ['id', textOf(making, 'id')],
    ['path', textOf(making, 'path')],
    ['state', stateOf(making)],
    ['size', `${bytes(Number(making['totalBytes']))} in ${textOf(making, 'files')} files`],
    ['infohash', textOf(making, 'infoHash') || '-'],
    ...(problemOf(making) === '' ? [] : [['why', problemOf(making)] as const]),
  ]);
}
