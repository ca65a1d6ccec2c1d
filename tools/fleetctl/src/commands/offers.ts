import { memberOf, textOf, type JsonObject } from '../api-client.js';
import { allowOptions, infoHash, required, rowLimit, satoshi, wholeNumber, type OptionValues } from '../arguments.js';
import type { Command } from '../context.js';
import { Failure } from '../failure.js';
import { fields, table } from '../table.js';
import { grouped, moment } from '../words.js';

export const setOffer: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, [
    'price',
    'lock',
    'settlement-fee',
    'min-fee-per-kb',
    'max-sellers',
    'free-per-day',
    'free-per-peer',
  ]);
  const torrent = infoHash(operands[0]);
  const fee = options['settlement-fee'];
  const minFee = options['min-fee-per-kb'];
  const sellers = options['max-sellers'];
  const offer = await api.call('PUT', `/v1/torrents/${torrent}/offer`, {
    priceSat: satoshi(required(options, 'price'), '--price'),
    ...(options.lock === undefined ? {} : { lockUnits: wholeNumber(options.lock, '--lock', 65_535) }),
    ...(fee === undefined ? {} : { settlementFeeSat: satoshi(fee, '--settlement-fee') }),
    ...(minFee === undefined ? {} : { minContractFeePerKbSat: satoshi(minFee, '--min-fee-per-kb') }),
    ...(sellers === undefined ? {} : { maxSellers: wholeNumber(sellers, '--max-sellers', 0x7fff_ffff) }),
    ...freeTier(options),
  });
  output.result(offer, () => describe(offer));
};

/** Both limits or neither: one alone would leave the other open. */
function freeTier(options: OptionValues): object {
  const day = options['free-per-day'];
  const peer = options['free-per-peer'];
  if (day === undefined && peer === undefined) return {};
  if (day === undefined || peer === undefined) {
    throw new Failure('usage', '--free-per-day and --free-per-peer go together');
  }
  const bytesPerDay = wholeNumber(day, '--free-per-day', 2 ** 49);
  return { freeTier: { bytesPerDay, bytesPerPeerDay: wholeNumber(peer, '--free-per-peer', bytesPerDay) } };
}

export const showOffer: Command = async ({ api, options, operands, output }) => {
  allowOptions(options, []);
  const offer = await api.call('GET', `/v1/torrents/${infoHash(operands[0])}/offer`);
  output.result(offer, () => describe(offer));
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
  const problem = textOf(economics, 'declined') || textOf(economics, 'refusedNow');
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
    ['default buyers', objections === '' ? 'accept' : `refuse: ${objections}`],
    ...(problem === '' ? [] : [['not sold', problem] as const]),
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
