import { memberOf, objects, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, infoHash, rowLimit } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { operand } from '../operands.js';
import { writeTo } from '../written.js';
import { fields, table } from '../table.js';
import { bytes, grouped, moment, short } from '../words.js';

const NAME_WIDTH = 40;

/** The price list as buyers see it. */
export const listMarket: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['search', 'sort', 'tier', 'available', 'limit']);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const query = new URLSearchParams();
  for (const name of ['search', 'sort', 'tier'] as const) {
    if (options[name] !== undefined) query.set(name, options[name]);
  }
  if (options.available === true) query.set('available', 'true');
  const { rows, more } = await api.list('/v1/market/torrents', query, rowLimit(options));
  output.result({ items: rows, more }, () => listing(rows));
  if (more) output.note('there are more; see --limit');
};

/** One torrent with what it cost before. */
export const showMarket: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const path = `/v1/market/torrents/${infoHash(operands[0])}`;
  const torrent = await api.call('GET', path);
  const prices = objects((await api.call('GET', `${path}/prices?limit=20`))['items']);
  output.result({ ...torrent, prices }, () => {
    const history = prices.map((price) => [
      moment(textOf(price, 'since')),
      grouped(textOf(price, 'priceSat')),
      textOf(price, 'satPerMib'),
      grouped(textOf(price, 'totalSat')),
    ]);
    const right = true;
    const heads = [
      { title: 'SINCE' },
      { title: 'SAT/PIECE', right },
      { title: 'SAT/MIB', right },
      { title: 'TOTAL', right },
    ];
    const speed = torrent['bytesPerSecond'];
    return `${fields([
      ['name', textOf(torrent, 'name')],
      ['size', bytes(Number(torrent['totalBytes']))],
      ['tier', textOf(torrent, 'tier')],
      ['sold by', (Array.isArray(torrent['peers']) ? torrent['peers'] : []).join(', ') || 'nobody now'],
      ['speed', typeof speed === 'number' ? `${bytes(speed)}/s` : 'not measured'],
      ['magnet', textOf(torrent, 'magnet')],
    ])}\n\n${table(heads, history)}`;
  });
};

/** The .torrent file, as buyers get it. */
export const fetchTorrent: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['out']);
  const path = `/v1/market/torrents/${infoHash(operands[0])}/file.torrent`;
  if (options.out === undefined) throw new Failure('usage', '--out FILE.torrent is missing');
  await writeTo(await api.download(path), options.out, output);
};

export const listTiers: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const answer = await api.call('GET', '/v1/tiers');
  const heads = [
    { title: 'TIER' },
    { title: 'TIMES', right: true },
    { title: 'TORRENTS', right: true },
    { title: 'WHAT' },
  ];
  output.result(answer, () =>
    table(
      heads,
      objects(answer['items']).map((tier) =>
        ['name', 'multiplier', 'torrents', 'description'].map((name) => textOf(tier, name)),
      ),
    ),
  );
};

export const showTier: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const tier = await api.call('GET', `/v1/tiers/${encodeURIComponent(operand(operands, 1, 'the NAME of a tier'))}`);
  output.result(tier, () =>
    fields([
      ['tier', textOf(tier, 'name')],
      ['times', textOf(tier, 'multiplier')],
      ['torrents', textOf(tier, 'torrents')],
      ['what', textOf(tier, 'description') || '-'],
    ]),
  );
};

export const setTier: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['description']);
  const [name, multiplier, ...rest] = operands;
  if (name === undefined || multiplier === undefined || rest.length > 0) {
    throw new Failure('usage', 'tiers set takes NAME and MULTIPLIER');
  }
  const { description } = options;
  const tier = await api.call('PUT', `/v1/tiers/${encodeURIComponent(name)}`, {
    multiplier,
    ...(description === undefined ? {} : { description }),
  });
  output.result(tier, () => `${textOf(tier, 'name')}: ${textOf(tier, 'multiplier')} times the rule`);
  output.note('prices follow with: offers bulk --tier NAME --reprice');
};

export const removeTier: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const name = operand(operands, 1, 'the NAME of a tier');
  await api.call('DELETE', `/v1/tiers/${encodeURIComponent(name)}`);
  output.result({ name, removed: true }, () => `${name} is removed`);
};

function listing(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'nothing is on sale';
  const right = true;
  return table(
    [
      { title: 'INFOHASH' },
      { title: 'NAME' },
      { title: 'SIZE', right },
      { title: 'TIER' },
      { title: 'SAT/MIB', right },
      { title: 'TOTAL SAT', right },
      { title: 'SOLD BY', right },
    ],
    rows.map((row) => [
      textOf(row, 'infoHash'),
      short(textOf(row, 'name'), NAME_WIDTH),
      bytes(Number(row['totalBytes'])),
      textOf(row, 'tier'),
      textOf(row, 'satPerMib'),
      grouped(textOf(row, 'totalSat')),
      String(Array.isArray(row['peers']) ? row['peers'].length : (memberOf(row, 'peers') ?? 0)),
    ]),
  );
}
