import type { Prisma } from '@seedfleet/persistence';
import { Problem } from '../http/problem.js';
import { askedAgain, exceedsAllMoney, resolvePrice, sameTerms } from '../offers/asked-price.js';
import { addVersion } from '../offers/offer.repository.js';

/** Throws `tier-not-found`. */
export async function requireTier(tx: Prisma.TransactionClient, tier: string | undefined): Promise<void> {
  if (tier === undefined) return;
  if ((await tx.qualityTier.findUnique({ where: { name: tier } })) !== null) return;
  throw new Problem(422, 'tier-not-found', `there is no quality tier ${tier}`, { tier });
}

/** Makes a price by rule follow the torrent's new tier, as a new version; an exact price stays. */
export async function priceForTier(tx: Prisma.TransactionClient, infoHash: string, actor: string): Promise<void> {
  const before = await tx.offer.findFirst({ where: { infoHash }, orderBy: { version: 'desc' } });
  const torrent = await tx.torrent.findUniqueOrThrow({
    where: { infoHash },
    select: { pieceLength: true, pieceCount: true, tier: true, quality: { select: { multiplierPerMille: true } } },
  });
  const content = { ...torrent, multiplierPerMille: torrent.quality.multiplierPerMille };
  const price = resolvePrice(askedAgain(before), content);
  if (sameTerms(before, price)) return;
  if (exceedsAllMoney(price.priceSat, torrent)) {
    throw new Problem(
      422,
      'offer-invalid',
      'in this tier, all pieces together would cost more than all money there is',
    );
  }
  const rest = {
    lockUnits: before?.lockUnits ?? null,
    settlementFeeSat: before?.settlementFeeSat ?? null,
    minContractFeePerKbSat: before?.minContractFeePerKbSat ?? null,
    maxSellers: before?.maxSellers ?? null,
    freeBytesPerDay: before?.freeBytesPerDay ?? null,
    freeBytesPerPeerDay: before?.freeBytesPerPeerDay ?? null,
  };
  await addVersion(tx, infoHash, () => ({ ...price, ...rest }), actor);
}
