import { Inject, Injectable } from '@nestjs/common';
import { shortestLockUnits } from '@seedfleet/policy';
import { Problem, validationProblem } from '../http/problem.js';
import { requireVersion } from '../http/versioned.js';
import { IDENTITY, type FleetIdentity } from '../identity.js';
import { OfferNews } from './offer-news.js';
import { torrentNotFound } from '../torrents/torrent.service.js';
import { exceedsAllMoney, resolvePrice, type AskedPrice, type PricedTorrentRow } from './asked-price.js';
import { freeColumns } from './free-columns.js';
import { OfferRepository, type OfferRow, type OfferTerms } from './offer.repository.js';
import type { SetOfferBody } from './offer.schemas.js';
import { ruleOf } from './price-rule.schemas.js';
import { POLICY } from './terms-of-sale.js';

/** More edits of one offer at once than people make. */
const MAX_TRIES = 50;

/** An offer as it was set, and what of the torrent it depends on. */
export interface SetOffer {
  readonly torrent: PricedTorrentRow;
  readonly row: OfferRow;
}

/** Sets what torrents are sold for. Running channels keep the terms they were opened with. */
@Injectable()
export class OfferService {
  constructor(
    private readonly offers: OfferRepository,
    private readonly news: OfferNews,
    @Inject(IDENTITY) private readonly identity: FleetIdentity,
  ) {}

  /** Throws `torrent-not-found`, `offer-invalid`, or `precondition-failed` where `versions` don't name the present one. */
  async set(infoHash: string, body: SetOfferBody, actor: string, versions?: readonly number[]): Promise<SetOffer> {
    this.checkLock(body.lockUnits);
    // Of edits made at the same time one is added, and the others look again at what they follow.
    for (let tries = 1; ; tries += 1) {
      const { torrent, version } = await this.priced(infoHash);
      requireVersion(versions, version);
      const terms = termsOf(body, torrent);
      const added = await this.offers.addAfter(infoHash, version, torrent, terms, actor);
      if (added !== null) {
        this.news.set({ infoHash, ...torrent, ...added.sold }, added.row);
        return { torrent, row: added.row };
      }
      if (tries >= MAX_TRIES) throw new Problem(503, 'unavailable', 'too many edits of this offer at once');
    }
  }

  /** What `set` would store. */
  async preview(infoHash: string, body: SetOfferBody): Promise<SetOffer> {
    this.checkLock(body.lockUnits);
    const { torrent, version } = await this.priced(infoHash);
    return {
      torrent,
      row: { ...termsOf(body, torrent), version: version + 1, createdBy: 'dry run', createdAt: new Date() },
    };
  }

  private async priced(infoHash: string) {
    const priced = await this.offers.priced(infoHash);
    if (priced === null) throw torrentNotFound(infoHash);
    return priced;
  }

  /** Throws where a lock leaves no time to serve and settle. */
  checkLock(lockUnits: number | null | undefined): void {
    const shortest = shortestLockUnits(this.identity.network, POLICY);
    if (lockUnits === null || lockUnits === undefined || lockUnits >= shortest) return;
    const message = `must be at least ${shortest}: a shorter lock leaves no time to serve and settle`;
    throw validationProblem([{ message, path: ['lockUnits'] }]);
  }
}

function termsOf(body: SetOfferBody, torrent: PricedTorrentRow): OfferTerms {
  const price = resolvePrice(askedPrice(body), torrent);
  if (exceedsAllMoney(price.priceSat, torrent)) {
    throw new Problem(422, 'offer-invalid', 'all pieces together would cost more than all money there is');
  }
  const { lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, freeTier } = body;
  return { ...price, lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, ...freeColumns(freeTier) };
}

function askedPrice({ priceSat, price }: Pick<SetOfferBody, 'priceSat' | 'price'>): AskedPrice {
  if (priceSat !== null) return { kind: 'exact', priceSat };
  return price === null ? { kind: 'default' } : { kind: 'rule', rule: ruleOf(price) };
}
