import { memberOf, objects, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, infoHash, rowLimit, wholeNumber } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { fields, table } from '../table.js';
import { grouped, moment, short } from '../words.js';
import { PRICE_OPTIONS, priceOf, TERM_OPTIONS, termsOf } from './price-options.js';

/** The API says how many it knows of. */
const MAX_DAYS = 10_000;

export const setOffer: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, [...PRICE_OPTIONS, ...TERM_OPTIONS, 'dry-run']);
  const torrent = infoHash(operands[0]);
  const price = priceOf(options);
  if (price === undefined) throw new Failure('usage', '--price, --per-piece, --per-mib or --formula is missing');
  const query = options['dry-run'] === true ? '?dryRun=true' : '';
  const offer = await api.call('PUT', `/v1/torrents/${torrent}/offer${query}`, { ...price, ...termsOf(options) });
  output.result(offer, () => describe(offer));
  if (query !== '') output.note('nothing was changed');
};

/** Changes what many torrents are sold for, or says what that would come to. */
export const bulkOffers: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, [
    ...PRICE_OPTIONS,
    ...TERM_OPTIONS,
    'dry-run',
    'label',
    'tier',
    'search',
    'all',
    'reprice',
    'limit',
  ]);
  const [label, ...otherLabels] = options.label ?? [];
  if (otherLabels.length > 0) throw new Failure('usage', 'give one --label');
  const select: JsonObject = {
    ...(operands.length === 0 ? {} : { infoHashes: operands.map(infoHash) }),
    ...(label === undefined ? {} : { label }),
    ...(options.tier === undefined ? {} : { tier: options.tier }),
    ...(options.search === undefined ? {} : { search: options.search }),
    ...(options.all === true ? { all: true } : {}),
  };
  if (Object.keys(select).length === 0)
    throw new Failure('usage', 'which torrents? INFOHASH…, --label, --tier, --search or --all');
  const change = { ...priceOf(options), ...termsOf(options), ...(options.reprice === true ? { reprice: true } : {}) };
  const shown = options.limit === undefined ? 100 : wholeNumber(options.limit, '--limit', 500);
  const dryRun = options['dry-run'] === true;
  const answer = await api.call('POST', '/v1/offers/bulk', { select, change, dryRun, limit: shown });
  output.result(answer, () => describeBulk(answer));
  if (dryRun) output.note('nothing was changed');
};

function describeBulk(answer: JsonObject): string {
  const right = true;
  const items = objects(answer['items']);
  const rows = items.map((item) => {
    const before = memberOf(item, 'before');
    const after = memberOf(item, 'after') ?? {};
    const economics = memberOf(after, 'economics') ?? {};
    return [
      textOf(item, 'infoHash'),
      short(textOf(item, 'name'), 30),
      `${grouped(textOf(before, 'priceSat'))} → ${grouped(textOf(after, 'priceSat'))}`,
      textOf(after, 'satPerMib'),
      grouped(textOf(economics, 'totalSat')),
      textOf(economics, 'kMin'),
      `${(Number(economics['earnsNothingPerMille'] ?? 0) / 10).toFixed(1)} %`,
      grouped(
        String(BigInt(textOf(economics, 'settlementFeeSat') || '0') + BigInt(textOf(economics, 'sweepCostSat') || '0')),
      ),
      economics['acceptedByDefaultBuyers'] === true ? 'accept' : 'refuse',
      textOf(economics, 'declined'),
    ];
  });
  const counts = fields([
    ['torrents', `${textOf(answer, 'matched')}, of which ${textOf(answer, 'changed')} change`],
    ['default buyers', `refuse ${textOf(answer, 'refusedByDefaultBuyers')} of them`],
    ['never sold', `${textOf(answer, 'declined')}: they could not pay for their settlement`],
  ]);
  if (rows.length === 0) return counts;
  const heads = [
    { title: 'INFOHASH' },
    { title: 'NAME' },
    { title: 'SAT/PIECE', right },
    { title: 'SAT/MIB', right },
    { title: 'TOTAL', right },
    { title: 'KMIN', right },
    { title: 'EARNS NOTHING', right },
    { title: 'ON CHAIN', right },
    { title: 'DEFAULT BUYERS' },
    { title: 'DECLINED' },
  ];
  return `${table(heads, rows)}\n\n${counts}`;
}

export const showOffer: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const offer = await api.call('GET', `/v1/torrents/${infoHash(operands[0])}/offer`);
  output.result(offer, () => describe(offer));
};

/** What a torrent should cost, and why. */
export const adviseOffer: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['days']);
  const torrent = `/v1/torrents/${infoHash(operands[0])}`;
  const since = options.days === undefined ? '' : `?days=${wholeNumber(options.days, '--days', MAX_DAYS)}`;
  const advice = await api.call('GET', `${torrent}/advice${since}`);
  const demand = await api.call('GET', `${torrent}/demand${since}`);
  output.result({ ...advice, demand }, () => {
    const price = (name: string) => {
      const priced = memberOf(advice, name);
      return `${grouped(textOf(priced, 'priceSat'))} sat per piece, ${textOf(priced, 'satPerMib')} sat per MiB`;
    };
    const counters = memberOf(demand, 'counters');
    const bids = objects(demand['bids']).map((bid) =>
      ['priceSat', 'buyers', 'accepting'].map((name) => textOf(bid, name)),
    );
    const head = fields([
      ['now', price('current')],
      ['suggested', price('suggested')],
      ['because', (Array.isArray(advice['reasons']) ? advice['reasons'] : []).join(', ')],
      [
        'bids',
        `${textOf(advice, 'acceptedNow')} of ${textOf(advice, 'bids')} accept now, ${textOf(advice, 'acceptedBids')} the suggestion`,
      ],
      [
        'would bring',
        `${grouped(textOf(advice, 'expectedNetSat'))} sat, now ${grouped(textOf(advice, 'expectedNetNowSat'))} sat`,
      ],
      ['buyers', `${textOf(counters, 'buyers')}, ${textOf(counters, 'buyersBelowPrice')} below the price`],
      [
        'lost',
        `${textOf(counters, 'lostAfterSpeedTest')} after the speed test, ${textOf(counters, 'lostAfterJoin')} after joining`,
      ],
      ['won', `${textOf(counters, 'won')} of ${textOf(counters, 'joined')} that joined`],
    ]);
    if (bids.length === 0) return head;
    const heads = ['BID', 'BUYERS', 'ACCEPTING'].map((title) => ({ title, right: true }));
    return `${head}\n\n${table(heads, bids)}`;
  });
};

export const offerHistory: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, ['limit']);
  const path = `/v1/torrents/${infoHash(operands[0])}/offers`;
  const { rows, more } = await api.list(path, new URLSearchParams(), rowLimit(options));
  output.result({ items: rows, more }, () => listing(rows));
};

function listing(rows: readonly JsonObject[]): string {
  if (rows.length === 0) return 'never set: sold at default terms';
  const right = true;
  return table(
    [
      { title: 'VERSION', right },
      { title: 'SET' },
      { title: 'SAT/PIECE', right },
      { title: 'LOCK', right },
      { title: 'FEE', right },
      { title: 'MIN FEE/KB', right },
      { title: 'SELLERS', right },
      { title: 'BY' },
    ],
    rows.map((row) => [
      textOf(row, 'version'),
      moment(textOf(row, 'createdAt')),
      orDefault(grouped(textOf(row, 'priceSat'))),
      orDefault(textOf(row, 'lockUnits')),
      orDefault(textOf(row, 'settlementFeeSat')),
      orDefault(textOf(row, 'minContractFeePerKbSat')),
      orDefault(textOf(row, 'maxSellers')),
      textOf(row, 'createdBy'),
    ]),
  );
}

function describe(offer: JsonObject): string {
  const terms = memberOf(offer, 'effective');
  const economics = memberOf(offer, 'economics');
  if (terms === undefined || economics === undefined) throw new Failure('api-answer-unknown', 'no terms in the answer');
  const objections = Array.isArray(economics['objections']) ? economics['objections'].join(', ') : '';
  const never = textOf(economics, 'declined');
  const now = textOf(economics, 'refusedNow');
  return fields([
    ['torrent', textOf(offer, 'infoHash')],
    ['price', `${grouped(textOf(terms, 'priceSat'))} sat per piece, ${textOf(terms, 'satPerMib')} sat per MiB`],
    ['total', `${grouped(textOf(economics, 'totalSat'))} sat, net ${grouped(textOf(economics, 'netSat'))} sat`],
    ['lock', textOf(terms, 'lockUnits') === '' ? 'fitted to the buyer' : `${textOf(terms, 'lockUnits')} × 512 s`],
    [
      'settlement fee',
      `${textOf(economics, 'settlementFeeSat')} sat${textOf(terms, 'settlementFeeSat') === '' ? ' (today’s quote)' : ''}`,
    ],
    ['min fee per kB', `${textOf(terms, 'minContractFeePerKbSat')} sat`],
    ['max sellers', textOf(terms, 'maxSellers')],
    ['free', free(memberOf(terms, 'freeTier'))],
    ['first paying piece', textOf(economics, 'kMin')],
    ['smallest sensible sale', `${textOf(economics, 'smallestSensiblePieces') || 'none'} pieces`],
    ['breaks even up to', breakEven(textOf(economics, 'breakEvenFeeRateSatPerKvb'))],
    ['price per GiB', `${grouped(textOf(economics, 'satPerGib'))} sat`],
    ['default buyers', objections === '' ? 'accept' : `refuse: ${objections}`],
    ...(never === ''
      ? now === ''
        ? []
        : [['not sold at today’s fees', now] as const]
      : [['never sold, at any fees', never] as const]),
  ]);
}

function free(tier: JsonObject | undefined): string {
  if (tier === undefined) return 'nothing';
  const bytes = (name: string): string => grouped(textOf(tier, name));
  return `${bytes('bytesPerDay')} bytes a day and node, ${bytes('bytesPerPeerDay')} per peer`;
}

function orDefault(text: string): string {
  return text === '' ? 'default' : text;
}

function breakEven(satPerKvb: string): string {
  return satPerKvb === '' ? 'no fee rate' : `${(Number(satPerKvb) / 1000).toFixed(1)} sat/vB`;
}
