import type { Account, Balances } from './accounts.js';
import { accountsOf, type ChannelFacts } from './balances.js';

/** One posting: the entries that move the books from one state of a channel to the next. They add up to 0. */
export type Posting = Balances;

/**
 * The posting that a change of a channel makes. Empty when no account changes. A reorganisation needs nothing of its
 * own: the channel moves back, and so do the amounts.
 * @param before null for a channel that was not there.
 */
export function postingBetween(before: ChannelFacts | null, after: ChannelFacts): Posting {
  const entries = new Map<Account, bigint>(accountsOf(after));
  if (before !== null) {
    for (const [account, amountSat] of accountsOf(before)) {
      const changeSat = (entries.get(account) ?? 0n) - amountSat;
      if (changeSat === 0n) entries.delete(account);
      else entries.set(account, changeSat);
    }
  }
  return entries;
}

/** The books after a posting. Accounts that come to 0 are left out. */
export function post(books: Balances, posting: Posting): Balances {
  const after = new Map<Account, bigint>(books);
  for (const [account, amountSat] of posting) {
    const balanceSat = (after.get(account) ?? 0n) + amountSat;
    if (balanceSat === 0n) after.delete(account);
    else after.set(account, balanceSat);
  }
  return after;
}

/** Sum over all accounts, satoshi: 0 in books that balance. */
export function sumSat(balances: Balances): bigint {
  return [...balances.values()].reduce((sum, amountSat) => sum + amountSat, 0n);
}
