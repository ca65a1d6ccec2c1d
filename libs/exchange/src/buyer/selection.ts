import type { ChosenSeller } from './session-types.js';

/** Fastest first, as the reference does; then cheapest, then longest known (session behaviour §7). */
function byLatencyThenPrice(a: ChosenSeller, b: ChosenSeller): number {
  const latency = (a.latencyMs ?? Infinity) - (b.latencyMs ?? Infinity);
  // Infinity − Infinity is NaN: neither was measured.
  if (latency !== 0 && !Number.isNaN(latency)) return latency;
  if (a.terms.minPrice !== b.terms.minPrice) return a.terms.minPrice < b.terms.minPrice ? -1 : 1;
  return a.connection - b.connection;
}

/**
 * Picks the sellers of one contract: as many as wanted if so many tolerate each other in one funding transaction, else
 * fewer, but at least `needed`. Undefined when that can't be had.
 */
export function selectSellers(
  joined: readonly ChosenSeller[],
  wanted: number,
  needed: number,
): readonly ChosenSeller[] | undefined {
  const ranked = [...joined].sort(byLatencyThenPrice);
  for (let count = Math.min(Math.max(wanted, needed), ranked.length); count >= needed; count -= 1) {
    const tolerant = ranked.filter((seller) => seller.terms.maxSellers >= count);
    if (tolerant.length >= count) return tolerant.slice(0, count);
  }
  return undefined;
}
