import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { memberOf, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, infoHash, required, rowLimit } from '../arguments.js';
import type { Command, Context } from '../context.js';
import { Failure } from '../failure.js';
import { callersFolder } from '../target.js';
import { fields, table } from '../table.js';
import { waitForSale } from '../wait-for-sale.js';
import { bytes, grouped, moment, percent, short } from '../words.js';

/** The API takes no larger .torrent file. */
const MAX_TORRENT_BYTES = 16 * 1024 * 1024;
const NAME_WIDTH = 40;

export const addTorrent: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['content', 'label', 'tier', 'wait']);
  const [file, ...rest] = operands;
  if (file === undefined || rest.length > 0) throw new Failure('usage', 'torrents add takes one FILE.torrent');
  const place = required(options, 'content');
  const content = /^https?:\/\//i.test(place) ? place : resolve(callersFolder(), place);
  const metainfo = await readTorrentFile(resolve(callersFolder(), file));
  let torrent = await api.call('POST', '/v1/torrents', {
    metainfo: metainfo.toString('base64'),
    contentPath: content,
    ...(options.label === undefined ? {} : { labels: options.label }),
    ...(options.tier === undefined ? {} : { tier: options.tier }),
  });
  if (options.wait === true) torrent = await waitForSale(api, torrent, (line) => output.note(line));
  output.result(torrent, () => describeTorrent(torrent));
};

export const listTorrents: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['state-of', 'label', 'tier', 'search', 'sort', 'available', 'limit']);
  noOperands(operands);
  const query = new URLSearchParams();
  if (options['state-of'] !== undefined) query.set('state', options['state-of']);
  const [label, ...otherLabels] = options.label ?? [];
  if (otherLabels.length > 0) throw new Failure('usage', 'give one --label');
  if (label !== undefined) query.set('label', label);
  for (const name of ['tier', 'search', 'sort'] as const) {
    if (options[name] !== undefined) query.set(name, options[name]);
  }
  if (options.available === true) query.set('available', 'true');
  const { rows, more } = await api.list('/v1/torrents', query, rowLimit(options));
  output.result({ items: rows, more }, () => listing(rows));
  if (more) output.note('there are more; see --limit');
};

export const showTorrent: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const torrent = await api.call('GET', `/v1/torrents/${infoHash(operands[0])}`);
  output.result(torrent, () => describeTorrent(torrent));
};

/** Pause, resume or remove. */
export const changeTorrent =
  (state: 'active' | 'paused' | 'removed'): Command =>
  async ({ api, options, operands, output }: Context) => {
    allowOptions(options, []);
    const torrent = await api.call('PATCH', `/v1/torrents/${infoHash(operands[0])}`, { state });
    output.result(torrent, () => describeTorrent(torrent));
  };

/** Sets the labels to those given; with none, removes all. */
export const labelTorrent: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['label']);
  const torrent = await api.call('PATCH', `/v1/torrents/${infoHash(operands[0])}`, { labels: options.label ?? [] });
  output.result(torrent, () => describeTorrent(torrent));
};

/** Tells nodes another place of the content; they verify it anew. */
export const moveTorrent: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const [torrent, place, ...rest] = operands;
  if (place === undefined || rest.length > 0) throw new Failure('usage', 'torrents move takes INFOHASH and PATH');
  const contentPath = resolve(callersFolder(), place);
  const answer = await api.call('PATCH', `/v1/torrents/${infoHash(torrent)}`, { contentPath });
  output.result(answer, () => describeTorrent(answer));
};

/** Puts a torrent into a quality tier; its price by rule follows. */
export const gradeTorrent: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const [torrent, tier] = operands;
  if (tier === undefined) throw new Failure('usage', 'torrents tier takes INFOHASH and TIER');
  const answer = await api.call('PATCH', `/v1/torrents/${infoHash(torrent)}`, { tier });
  output.result(answer, () => describeTorrent(answer));
};

async function readTorrentFile(path: string): Promise<Buffer> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (thrown) {
    throw new Failure('file-unreadable', `${path} can't be read: ${(thrown as Error).message}`);
  }
  if (content.length === 0) throw new Failure('file-unreadable', `${path} is empty`);
  if (content.length > MAX_TORRENT_BYTES) throw new Failure('file-unreadable', `${path} is larger than 16 MiB`);
  return content;
}

function noOperands(operands: readonly string[]): void {
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
}

function listing(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'no torrents';
  return table(
    [
      { title: 'INFOHASH' },
      { title: 'NAME' },
      { title: 'SIZE', right: true },
      { title: 'PIECES', right: true },
      { title: 'SAT/PIECE', right: true },
      { title: 'TOTAL SAT', right: true },
      { title: 'STATE' },
      { title: 'NODES', right: true },
      { title: 'DETAIL' },
    ],
    rows.map((row) => [
      textOf(row, 'infoHash'),
      short(textOf(row, 'name'), NAME_WIDTH),
      bytes(Number(row['totalBytes'])),
      textOf(row, 'pieceCount'),
      grouped(textOf(memberOf(row, 'offer'), 'priceSat')),
      grouped(textOf(row, 'totalSat')),
      saleState(row),
      textOf(memberOf(row, 'sale'), 'nodesOnSale'),
      textOf(memberOf(row, 'sale'), 'detail'),
    ]),
  );
}

export function describeTorrent(torrent: JsonObject): string {
  const sale = memberOf(torrent, 'sale');
  const offer = memberOf(torrent, 'offer');
  const refused = textOf(sale, 'refusedNow');
  return fields([
    ['infohash', textOf(torrent, 'infoHash')],
    ['name', textOf(torrent, 'name')],
    ['size', `${bytes(Number(torrent['totalBytes']))} in ${textOf(torrent, 'pieceCount')} pieces`],
    ['content', textOf(torrent, 'contentPath')],
    ['labels', (Array.isArray(torrent['labels']) ? torrent['labels'] : []).join(', ') || '-'],
    ['tier', textOf(torrent, 'tier')],
    ['state', `${saleState(torrent)} on ${textOf(sale, 'nodesOnSale')} nodes`],
    ...(textOf(sale, 'detail') === '' ? [] : [['detail', textOf(sale, 'detail')] as const]),
    ...(refused === '' ? [] : [['at today’s fees', `no channel is opened: ${refused}`] as const]),
    ['price', `${grouped(textOf(offer, 'priceSat'))} sat per piece, ${textOf(offer, 'satPerMib')} sat per MiB`],
    ['total', `${grouped(textOf(torrent, 'totalSat'))} sat`],
    ['added', moment(textOf(torrent, 'createdAt'))],
  ]);
}

function saleState(torrent: JsonObject): string {
  const sale = memberOf(torrent, 'sale');
  const state = textOf(sale, 'state');
  return state === 'verifying' || state === 'fetching' ? `${state} ${percent(Number(sale?.['progress'] ?? 0))}` : state;
}
