import { z } from 'zod';
import { infoHashText, satoshiText } from '../http/schemas.js';
import { searchText } from '../torrents/name-search.js';
import { label, tierName } from '../torrents/torrent.schemas.js';
import { economicsSchema, termsChange } from './offer.schemas.js';
import { priceRuleSchema } from './price-rule.schemas.js';

const MAX_INFO_HASHES = 1_000;
const DEFAULT_SHOWN = 100;
const MAX_SHOWN = 500;

const select = z
  .strictObject({
    infoHashes: z.array(infoHashText).min(1).max(MAX_INFO_HASHES).optional(),
    label: label.optional(),
    tier: tierName.optional(),
    search: searchText.optional(),
    state: z.enum(['active', 'paused']).optional(),
    all: z.literal(true).optional().meta({ description: 'every torrent, where nothing else is said' }),
  })
  .refine((chosen) => Object.values(chosen).some((criterion) => criterion !== undefined), 'say which torrents')
  .meta({ description: 'torrents that fit everything said; removed ones never do' });

const change = z
  .strictObject({
    ...termsChange,
    reprice: z
      .literal(true)
      .optional()
      .meta({ description: 'apply each torrent’s own rule anew, at its tier’s multiplier of now' }),
  })
  .refine((asked) => Object.values(asked).some((term) => term !== undefined), 'nothing to change')
  .refine(({ priceSat, price, reprice }) => [priceSat, price, reprice].filter((way) => way !== undefined).length <= 1, {
    message: 'give one of priceSat, price and reprice',
    path: ['price'],
  });

export const bulkEditBody = z.strictObject({
  select,
  change,
  dryRun: z.boolean().meta({ description: 'true: change nothing, only say what it would come to' }),
  limit: z.int().min(0).max(MAX_SHOWN).default(DEFAULT_SHOWN).meta({ description: 'torrents shown in the answer' }),
  cursor: infoHashText.optional().meta({ description: '`nextCursor` of the page before; only with dryRun' }),
});
export type BulkEditBody = z.output<typeof bulkEditBody>;
export type BulkSelect = BulkEditBody['select'];
export type BulkChange = BulkEditBody['change'];

export const bulkItemSchema = z.object({
  infoHash: z.string(),
  name: z.string(),
  tier: z.string(),
  before: z.object({ version: z.int(), priceSat: satoshiText, satPerMib: z.string() }),
  after: z.object({
    version: z.int(),
    priceSat: satoshiText,
    satPerMib: z.string(),
    price: priceRuleSchema.nullable(),
    economics: economicsSchema,
  }),
  changed: z.boolean(),
});

export const bulkEditSchema = z.object({
  dryRun: z.boolean(),
  matched: z.int(),
  changed: z.int().meta({ description: 'torrents that get a new version' }),
  refusedByDefaultBuyers: z.int().meta({ description: 'of all that match, at the new terms' }),
  declined: z.int().meta({ description: 'that could never pay for their settlement, at the new terms' }),
  items: z.array(bulkItemSchema).meta({ description: 'ordered by infohash' }),
  nextCursor: z.string().nullable(),
});
export type BulkEditAnswer = z.output<typeof bulkEditSchema>;
