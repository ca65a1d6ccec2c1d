/** From the chosen sellers to a funded contract: prepare, store what refunds need, broadcast, announce; in this order. */

import { considerSeller, joinedLinks, neededSellers, stepLink } from './links.js';
import { selectSellers } from './selection.js';
import type { BuyerSessionState, Link } from './session-state.js';
import type { ChosenSeller, RefundData, SessionFunding } from './session-types.js';

/** Picks sellers among those that joined, fastest first. */
export function chooseSellers(session: BuyerSessionState): void {
  if (session.phase !== 'inviting') return;
  const joined = joinedLinks(session).flatMap((link) => candidateOf(link) ?? []);
  const needed = neededSellers(session);
  const chosen = selectSellers(joined, session.config.sellers, needed);
  if (chosen === undefined) {
    session.effects.push({ type: 'not-enough-sellers', joined: joined.length, needed });
    return;
  }
  session.phase = 'preparing';
  session.contract += 1;
  session.chosen = chosen;
  session.effects.push({
    type: 'prepare-contract',
    contract: session.contract,
    sellers: chosen,
    feeSatPerKb: chosen.reduce((max, { terms }) => maxOf(max, terms.minContractFeePerKb), 0n),
  });
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function candidateOf(link: Link): ChosenSeller | undefined {
  const { role } = link.conn;
  return role.kind === 'preparing' ? { connection: link.id, ...role.seller, latencyMs: link.latencyMs } : undefined;
}

/** Takes the prepared funding transaction; throws if the host left a seller out, for money would go astray. */
export function onPrepared(session: BuyerSessionState, fundings: readonly SessionFunding[]): void {
  const refunds = session.chosen.map((seller): RefundData => {
    const funding = fundings.find((candidate) => candidate.connection === seller.connection);
    if (funding === undefined) throw new Error('a chosen seller has no funding output');
    return {
      connection: seller.connection,
      outpoint: funding.outpoint,
      valueSat: funding.valueSat,
      lockUnits: seller.terms.minLock,
      buyerPublicKey: funding.buyerPublicKey,
      sellerPublicKey: seller.sellerPublicKey,
    };
  });
  session.fundings = fundings;
  session.phase = 'storing-refunds';
  session.effects.push({ type: 'store-refunds', contract: session.contract, refunds });
}

/** The refunds are safe: only now may money move. */
export function onRefundsStored(session: BuyerSessionState): void {
  session.phase = 'broadcasting';
  session.effects.push({ type: 'broadcast-contract', contract: session.contract });
}

/**
 * Announces the funding to every seller that is still there. The output of one that left meanwhile comes back by refund;
 * the others serve all the same.
 */
export function onBroadcast(session: BuyerSessionState): void {
  session.phase = 'downloading';
  for (const { connection } of session.chosen) {
    const link = session.links.get(connection);
    const funding = session.fundings.find((candidate) => candidate.connection === connection);
    if (link?.conn.role.kind === 'preparing' && funding) stepLink(session, link, { type: 'contract-ready', funding });
  }
  session.chosen = [];
  session.fundings = [];
}

/** Back to looking for sellers, with everybody who is there. */
export function resumeInviting(session: BuyerSessionState): void {
  session.phase = 'inviting';
  session.chosen = [];
  session.fundings = [];
  for (const link of [...session.links.values()]) considerSeller(session, link);
}

/** Nothing was spent yet: a chosen seller that left makes the prepared transaction worthless. */
export function abandonIfSellerLeft(session: BuyerSessionState): void {
  if (session.phase !== 'preparing' && session.phase !== 'storing-refunds') return;
  if (session.chosen.every(({ connection }) => session.links.get(connection)?.conn.role.kind === 'preparing')) return;
  abandonContract(session);
}

/** Gives up a contract that was not broadcast. */
export function abandonContract(session: BuyerSessionState): void {
  session.effects.push({ type: 'abandon-contract', contract: session.contract });
  resumeInviting(session);
}
