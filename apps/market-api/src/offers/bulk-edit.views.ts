import type { NewVersion } from './bulk-edit.repository.js';
import type { BulkEditAnswer } from './bulk-edit.schemas.js';
import { economicsView } from './offer.views.js';
import { originView } from './price-rule.schemas.js';
import { satPerMib } from './price-per-size.js';
import type { FeeOutlook } from './sale-verdict.js';
import { effectiveOffer } from './terms-of-sale.js';

/** How one torrent of an edit of many looks. */
export function bulkItemView(
  { row, version, terms }: NewVersion,
  changed: boolean,
  fees: FeeOutlook,
): BulkEditAnswer['items'][number] {
  const before = effectiveOffer(row, row.offer);
  const after = effectiveOffer(row, { version: changed ? version : before.version, ...terms });
  return {
    infoHash: row.infoHash,
    name: row.name,
    tier: row.tier,
    before: {
      version: before.version,
      priceSat: before.priceSat.toString(),
      satPerMib: satPerMib(before.priceSat, row.pieceLength),
    },
    after: {
      version: after.version,
      priceSat: after.priceSat.toString(),
      satPerMib: satPerMib(after.priceSat, row.pieceLength),
      price: originView(terms),
      economics: economicsView(row, after, fees),
    },
    changed,
  };
}
