import type { PeerAddress } from '../options.js';

/** Ends of a purchase that no honest seller causes, whatever the line: it is not asked again in this run. */
const DISHONEST = new Set(['piece-invalid', 'piece-overflow', 'speed-test-size-mismatch']);
/** Purchases of a seller that ended without one payment, before it is not asked again: it only locks deposits. */
const MAX_FRUITLESS = 2;
/** Addresses remembered; far more than one run meets. */
const MAX_REMEMBERED = 10_000;

export function addressKey({ host, port }: PeerAddress): string {
  return `${host}:${port}`;
}

/** Whom not to deal with again in this run, by address. */
export class Reputation {
  private readonly banned = new Map<string, string>();
  private readonly fruitless = new Map<string, number>();

  /** A funded purchase ended. */
  purchaseEnded(key: string, reason: string, payments: number): void {
    if (DISHONEST.has(reason) || reason === 'seller-timeout') return this.ban(key, reason);
    if (payments > 0 || reason === 'shutdown' || reason === 'capacity') return;
    const count = (this.fruitless.get(key) ?? 0) + 1;
    if (this.fruitless.size < MAX_REMEMBERED) this.fruitless.set(key, count);
    if (count >= MAX_FRUITLESS) this.ban(key, 'took-deposits');
  }

  /** A connection was closed by us for a reason. */
  connectionEnded(key: string, reason: string): void {
    if (DISHONEST.has(reason)) this.ban(key, reason);
  }

  ban(key: string, reason: string): void {
    if (this.banned.size < MAX_REMEMBERED) this.banned.set(key, reason);
  }

  isBanned(key: string): boolean {
    return this.banned.has(key);
  }
}
