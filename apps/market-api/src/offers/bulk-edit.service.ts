import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Prisma } from '@seedfleet/persistence';
import { digestTag, requireTag } from '../http/content-tag.js';
import { Problem } from '../http/problem.js';
import { FeeOutlookBoard } from '../nodes/fee-outlook.js';
import { OfferNews } from './offer-news.js';
import { exceedsAllMoney, sameTerms } from './asked-price.js';
import { changedTerms } from './bulk-edit.js';
import { BulkEditRepository, type BulkRow, type NewVersion } from './bulk-edit.repository.js';
import type { BulkEditAnswer, BulkEditBody } from './bulk-edit.schemas.js';
import { bulkItemView } from './bulk-edit.views.js';
import { auditTerms } from './offer.repository.js';
import { OfferService } from './offer.service.js';
import { saleVerdict } from './sale-verdict.js';
import { effectiveOffer } from './terms-of-sale.js';

/** Torrents in one edit; more would hold their rows for too long. */
export const MAX_BULK_TORRENTS = 20_000;
const BATCH = 500;

/** Edits the offers of many torrents, all or none of them, or says what that would come to. */
@Injectable()
export class BulkEditService {
  constructor(
    private readonly repository: BulkEditRepository,
    private readonly offers: OfferService,
    private readonly fees: FeeOutlookBoard,
    private readonly news: OfferNews,
  ) {}

  /**
   * Throws `selection-too-large`, `offer-invalid`, and `precondition-failed` where `tags` don't name what it would change;
   * then nothing was changed. The tag is of all that fits, at the versions it had before.
   */
  async edit(
    body: BulkEditBody,
    actor: string,
    tags?: readonly string[],
  ): Promise<{ answer: BulkEditAnswer; tag: string }> {
    this.offers.checkLock(body.change.lockUnits);
    const matched = await this.repository.count(body.select, MAX_BULK_TORRENTS);
    if (matched > MAX_BULK_TORRENTS) {
      const detail = `more than ${MAX_BULK_TORRENTS} torrents fit; select fewer at a time`;
      throw new Problem(422, 'selection-too-large', detail, { most: MAX_BULK_TORRENTS });
    }
    if (body.dryRun) return this.run(this.repository.reader(), body, actor, tags);
    const { answer, added, tag } = await this.repository.transaction((tx) => this.run(tx, body, actor, tags));
    await this.news.changed(added, `offers of ${added.length} torrents changed`);
    return { answer, tag };
  }

  private async run(tx: Prisma.TransactionClient, body: BulkEditBody, actor: string, tags?: readonly string[]) {
    const seen = createHash('sha256').update(JSON.stringify(body.change, plain));
    const fees = this.fees.now();
    const answer = emptyAnswer(body.dryRun);
    const added: string[] = [];
    for (let after = ''; ;) {
      const rows = await this.repository.rows(tx, body.select, after, BATCH, !body.dryRun);
      const versions = rows.map((row) => ({ row, version: (row.offer?.version ?? 0) + 1, terms: decide(row, body) }));
      const changing = versions.filter(({ row, terms }) => !sameTerms(row.offer, terms));
      for (const version of versions) {
        const { row, terms } = version;
        const verdict = saleVerdict(row, effectiveOffer(row, { version: version.version, ...terms }), fees);
        if (verdict.defaultBuyerObjections.length > 0) answer.refusedByDefaultBuyers += 1;
        if (verdict.declined !== null) answer.declined += 1;
        this.show(answer, version, changing.includes(version), body, fees);
      }
      for (const { infoHash, tier, multiplierPerMille, offer } of rows)
        seen.update(JSON.stringify([infoHash, tier, multiplierPerMille, offer?.version ?? 0]));
      answer.matched += rows.length;
      answer.changed += changing.length;
      if (!body.dryRun) await this.repository.addVersions(tx, changing, actor);
      added.push(...changing.map(({ row }) => row.infoHash));
      const last = rows.at(-1);
      if (rows.length < BATCH || last === undefined) break;
      after = last.infoHash;
    }
    const tag = digestTag(seen.digest('base64url'));
    // Within the transaction: what was added above is taken back.
    requireTag(tags, tag);
    if (!body.dryRun && added.length > 0) {
      const { price, reprice, freeTier, ...terms } = body.change;
      const asked = {
        ...auditTerms(terms),
        ...(price === undefined ? {} : { price }),
        ...(reprice === undefined ? {} : { reprice }),
        ...(freeTier === undefined ? {} : { freeTier }),
      };
      await this.repository.note(tx, actor, { select: body.select, change: asked, changed: answer.changed });
    }
    return { answer, added, tag };
  }

  private show(
    answer: BulkEditAnswer,
    version: NewVersion,
    changed: boolean,
    { cursor, limit }: BulkEditBody,
    fees: ReturnType<FeeOutlookBoard['now']>,
  ): void {
    if (cursor !== undefined && version.row.infoHash <= cursor) return;
    if (answer.items.length < limit) answer.items.push(bulkItemView(version, changed, fees));
    else answer.nextCursor ??= answer.items.at(-1)?.infoHash ?? null;
  }
}

/** Amounts as text. */
const plain = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

function decide(row: BulkRow, { change }: BulkEditBody) {
  const terms = changedTerms(row, change);
  if (exceedsAllMoney(terms.priceSat, row)) {
    const detail = `all pieces of ${row.infoHash} together would cost more than all money there is`;
    throw new Problem(422, 'offer-invalid', detail, { infoHash: row.infoHash });
  }
  return terms;
}

const emptyAnswer = (dryRun: boolean): BulkEditAnswer => ({
  dryRun,
  matched: 0,
  changed: 0,
  refusedByDefaultBuyers: 0,
  declined: 0,
  items: [],
  nextCursor: null,
});
