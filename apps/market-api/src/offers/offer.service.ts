import { Inject, Injectable } from '@nestjs/common';
import { shortestLockUnits } from '@seedfleet/policy';
import { Problem, validationProblem } from '../http/problem.js';
import { IDENTITY, type FleetIdentity } from '../identity.js';
import { FleetNews } from '../nodes/fleet-news.js';
import { torrentNotFound } from '../torrents/torrent.service.js';
import { exceedsAllMoney, resolvePrice, type AskedPrice, type PricedTorrentRow } from './asked-price.js';
import { freeColumns } from './free-columns.js';
import { OfferRepository, type OfferRow, type OfferTerms } from './offer.repository.js';
import type { SetOfferBody } from './offer.schemas.js';
import { ruleOf } from './price-rule.schemas.js';
import { POLICY } from './terms-of-sale.js';

/** Sets what torrents are sold for. Running channels keep the terms they were opened with. */
@Injectable()
export class OfferService {
  constructor(
    private readonly offers: OfferRepository,
    private readonly news: FleetNews,
    @Inject(IDENTITY) private readonly identity: FleetIdentity,
  ) {}

  /** Throws `torrent-not-found`, `offer-invalid` or `precondition-failed`. */
  async set(infoHash: string, body: SetOfferBody, actor: string, versions?: readonly number[]): Promise<OfferRow> {
    this.checkLock(body.lockUnits);
    if ((await this.offers.priced(infoHash)) === null) throw torrentNotFound(infoHash);
    const row = await this.offers.set(infoHash, (torrent) => termsOf(body, torrent), actor, versions);
    await this.news.offersChanged([infoHash], `offer of ${infoHash} changed`);
    return row;
  }

  /** What `set` would store. */
  async preview(infoHash: string, body: SetOfferBody): Promise<OfferRow> {
    this.checkLock(body.lockUnits);
    const [torrent, current] = await Promise.all([this.offers.priced(infoHash), this.offers.current(infoHash)]);
    if (torrent === null) throw torrentNotFound(infoHash);
    const version = (current?.version ?? 0) + 1;
    return { ...termsOf(body, torrent), version, createdBy: 'dry run', createdAt: new Date() };
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
