import type { JsonObject } from '../api-client.js';
import { satoshi, wholeNumber, type OptionName, type OptionValues } from '../arguments.js';
import { Failure } from '../failure.js';

/** Options that say what torrents are sold for, the same for one torrent and for many. */
export const PRICE_OPTIONS = ['price', 'per-piece', 'per-mib', 'formula'] as const satisfies readonly OptionName[];
export const TERM_OPTIONS = [
  'lock',
  'settlement-fee',
  'min-fee-per-kb',
  'max-sellers',
  'free-per-day',
  'free-per-peer',
] as const satisfies readonly OptionName[];

/** The price as the API takes it; undefined where none was given. */
export function priceOf(options: OptionValues): JsonObject | undefined {
  const given = PRICE_OPTIONS.filter((name) => options[name] !== undefined);
  if (given.length > 1)
    throw new Failure('usage', `give one of ${PRICE_OPTIONS.map((name) => `--${name}`).join(', ')}`);
  if (options.price !== undefined) return { priceSat: satoshi(options.price, '--price') };
  if (options['per-piece'] !== undefined) return rule('piece', options['per-piece'], '--per-piece');
  if (options['per-mib'] !== undefined) return rule('mib', options['per-mib'], '--per-mib');
  return options.formula === undefined ? undefined : rule('formula', options.formula, '--formula');
}

function rule(mode: string, rate: string, name: string): JsonObject {
  if (!/^(0|[1-9]\d{0,12})(\.\d{1,3})?$/.test(rate)) {
    throw new Failure('usage', `${name} must be satoshi with up to three decimal places`);
  }
  return { price: { mode, rate } };
}

/** The other terms that were given. */
export function termsOf(options: OptionValues): JsonObject {
  const fee = options['settlement-fee'];
  const minFee = options['min-fee-per-kb'];
  const sellers = options['max-sellers'];
  return {
    ...(options.lock === undefined ? {} : { lockUnits: wholeNumber(options.lock, '--lock', 65_535) }),
    ...(fee === undefined ? {} : { settlementFeeSat: satoshi(fee, '--settlement-fee') }),
    ...(minFee === undefined ? {} : { minContractFeePerKbSat: satoshi(minFee, '--min-fee-per-kb') }),
    ...(sellers === undefined ? {} : { maxSellers: wholeNumber(sellers, '--max-sellers', 0x7fff_ffff) }),
    ...freeTier(options),
  };
}

/** Both limits or neither: one alone would leave the other open. */
function freeTier(options: OptionValues): JsonObject {
  const day = options['free-per-day'];
  const peer = options['free-per-peer'];
  if (day === undefined && peer === undefined) return {};
  if (day === undefined || peer === undefined) {
    throw new Failure('usage', '--free-per-day and --free-per-peer go together');
  }
  const bytesPerDay = wholeNumber(day, '--free-per-day', 2 ** 49);
  return { freeTier: { bytesPerDay, bytesPerPeerDay: wholeNumber(peer, '--free-per-peer', bytesPerDay) } };
}
