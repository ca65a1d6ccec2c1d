import { memberOf, objects, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, infoHash, rowLimit, wholeNumber, type OptionValues } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { fields, table } from '../table.js';
import { grouped, moment, short } from '../words.js';
import { writeTo } from '../written.js';

const NAME_WIDTH = 40;
/** The API gives no more. */
const MAX_PERIODS = 400;
/** Of the satoshi, all after revenue add up to it. */
const FIGURES = [
  ['CHANNELS', 'channels'],
  ['PIECES', 'pieces'],
  ['REVENUE', 'revenueSat'],
  ['ACCRUED', 'accruedSat'],
  ['COLLECTABLE', 'collectableSat'],
  ['FEES RESERVED', 'feesReservedSat'],
  ['BROADCAST', 'broadcastSat'],
  ['SETTLED', 'settledSat'],
  ['BURIED', 'buriedSat'],
  ['FEES', 'feesSat'],
  ['UNCOLLECTABLE', 'uncollectableSat'],
  ['LOST', 'lostSat'],
  ['SWEPT', 'sweptSat'],
] as const;

/** What rows are called by: the report, and the member that names a row. */
const REPORTS: Readonly<Record<string, string>> = {
  torrents: 'infoHash',
  nodes: 'nodeId',
  labels: 'label',
  buyers: 'buyer',
  days: 'day',
};

/** `revenue by torrents|nodes|labels|buyers|days`, and `revenue total`. */
export const revenueBy: Command = async ({ api, options, operands, output }) => {
  const [report = '', ...rest] = operands;
  const name = REPORTS[report];
  if (name === undefined || rest.length > 0) {
    throw new Failure('usage', `revenue by ${Object.keys(REPORTS).join('|')}`);
  }
  const own = report === 'torrents' ? (['sort', 'label', 'tier', 'search', 'torrent'] as const) : [];
  const ofDays = report === 'days' ? (['torrent', 'node', 'buyer'] as const) : [];
  allowOptions(options, ['from', 'to', 'limit', ...own, ...ofDays]);
  const query = periodOf(options);
  for (const option of ['sort', 'tier', 'search', 'buyer'] as const) {
    if (options[option] !== undefined) query.set(option, options[option]);
  }
  if (options.label?.[0] !== undefined) query.set('label', options.label[0]);
  if (options.torrent !== undefined) query.set('infoHash', infoHash(options.torrent));
  if (options.node !== undefined) query.set('nodeId', options.node);
  const { rows, more } = await api.list(`/v1/reports/${report}`, query, rowLimit(options));
  output.result({ items: rows, more }, () => listing(name, rows));
  if (more) output.note('there are more; see --limit');
};

export const revenueTotal: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['from', 'to']);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const total = await api.call('GET', `/v1/reports/total?${periodOf(options)}`);
  output.result(total, () => {
    const profit = memberOf(total, 'profit');
    return fields([
      ...FIGURES.map(([title, figure]) => [title.toLowerCase(), grouped(textOf(total, figure))] as const),
      ['bandwidth', `${grouped(textOf(profit, 'bandwidthCostSat'))} sat`],
      ['disk', `${grouped(textOf(profit, 'diskCostSat'))} sat`],
      ['profit', `${grouped(textOf(profit, 'profitSat'))} sat`],
    ]);
  });
};

/** What a chart shows: every hour or day up to now, oldest first. */
export const revenueSeries: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['by', 'count', 'torrent']);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const query = new URLSearchParams();
  if (options.by !== undefined) query.set('period', options.by);
  if (options.count !== undefined) query.set('count', String(wholeNumber(options.count, '--count', MAX_PERIODS)));
  if (options.torrent !== undefined) query.set('infoHash', infoHash(options.torrent));
  const series = await api.call('GET', `/v1/overview/series?${query}`);
  output.result(series, () =>
    listing(
      'start',
      objects(series['items']).map((row) => ({ ...row, start: moment(textOf(row, 'start')) })),
    ),
  );
};

/** The channels and transactions behind a figure. */
export const revenueExplain: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['from', 'to', 'torrent', 'node', 'buyer', 'limit']);
  const [figure, ...rest] = operands;
  if (figure === undefined || rest.length > 0) throw new Failure('usage', 'which figure? as buriedSat');
  const query = periodOf(options);
  query.set('figure', figure);
  if (options.torrent !== undefined) query.set('infoHash', infoHash(options.torrent));
  if (options.node !== undefined) query.set('nodeId', options.node);
  if (options.buyer !== undefined) query.set('buyer', options.buyer);
  const { rows, more, firstPage } = await api.list('/v1/reports/explain', query, rowLimit(options));
  const totalSat = textOf(firstPage, 'totalSat');
  const treasurySat = textOf(firstPage, 'treasurySat');
  output.result({ figure, totalSat, treasurySat, items: rows, more }, () => {
    const heads = ['CHANNEL', 'STATE', 'SATOSHI', 'FUNDING', 'SETTLEMENT'].map((title) => ({
      title,
      right: title === 'SATOSHI',
    }));
    const lines = rows.map((row) => [
      textOf(row, 'channelId'),
      textOf(row, 'state'),
      grouped(textOf(row, 'amountSat')),
      textOf(row, 'fundingTxid') || '-',
      textOf(row, 'settlementTxid') || '-',
    ]);
    const treasury = treasurySat === '0' ? [] : [['sweeps and splits', '', grouped(treasurySat), '', '']];
    return table(heads, [...lines, ...treasury, ['in all', '', grouped(totalSat), '', '']]);
  });
  if (more) output.note('there are more; see --limit');
};

/** A whole report as a file, or on standard output. */
export const exportReport: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['from', 'to', 'format', 'out']);
  const [of, ...rest] = operands;
  if (of === undefined || rest.length > 0) {
    throw new Failure('usage', 'export torrents|nodes|buyers|labels|days|channels|postings');
  }
  const format = options.format ?? 'csv';
  if (format !== 'csv' && format !== 'json') throw new Failure('usage', '--format is csv or json');
  const query = periodOf(options);
  query.set('of', of);
  query.set('format', format);
  await writeTo(await api.download(`/v1/reports/export?${query}`), options.out, output);
};

/** What serving costs the operator. */
export const costs: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['bandwidth', 'disk']);
  if (operands[0] !== undefined) throw new Failure('usage', `unexpected: ${operands[0]}`);
  const path = '/v1/settings/cost-rates';
  let rates = await api.call('GET', path);
  const { bandwidth, disk } = options;
  if (bandwidth !== undefined || disk !== undefined) {
    const change = {
      ...(bandwidth === undefined ? {} : { bandwidthSatPerGib: bandwidth }),
      ...(disk === undefined ? {} : { diskSatPerGibMonth: disk }),
    };
    rates = await api.call('PUT', path, { ...rates, ...change });
  }
  output.result(rates, () =>
    fields([
      ['bandwidth', `${textOf(rates, 'bandwidthSatPerGib')} sat per GiB sent`],
      ['disk', `${textOf(rates, 'diskSatPerGibMonth')} sat per GiB and 30 days`],
    ]),
  );
};

function periodOf(options: OptionValues): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['from', 'to'] as const) {
    const day = options[name];
    if (day === undefined) continue;
    if (!/^\d{4}-\d\d-\d\d$/.test(day)) throw new Failure('usage', `--${name} must be a day, as 2026-01-31`);
    query.set(name, day);
  }
  return query;
}

function listing(name: string, rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'nothing was earned';
  const named = rows.some((row) => 'name' in row);
  const profit = rows.some((row) => memberOf(row, 'profit') !== undefined);
  return table(
    [
      { title: name.toUpperCase() },
      ...(named ? [{ title: 'NAME' }] : []),
      ...FIGURES.map(([title]) => ({ title, right: true })),
      ...(profit ? [{ title: 'PROFIT', right: true }] : []),
    ],
    rows.map((row) => [
      textOf(row, name),
      ...(named ? [short(textOf(row, 'name'), NAME_WIDTH)] : []),
      ...FIGURES.map(([, figure]) => grouped(textOf(row, figure))),
      ...(profit ? [grouped(textOf(memberOf(row, 'profit'), 'profitSat'))] : []),
    ]),
  );
}
