import type { PeerAddress } from '../options.js';

/** Ends of a purchase that no honest seller causes, whatever the line: it is not asked again in this run. */
const DISHONEST = new Set(['piece-invalid', 'piece-overflow', 'speed-test-size-mismatch']);
/** Purchases of a seller that ended without one payment, before it is not asked again: it only locks deposits. */
const MAX_FRUITLESS = 2;
/** Payments that make a purchase worth its deposit's fees: who falls silent after them may have a bad line. */
const WORTH_PAYMENTS = 16;
/** Purchases that a seller may end by falling silent all the same. */
const MAX_SILENCES = 8;
/** Addresses remembered; far more than one run meets. */
const MAX_REMEMBERED = 10_000;

export function addressKey({ host, port }: PeerAddress): string {
  return `${host}:${port}`;
}

/** Whom not to deal with again in this run, by address. */
export class Reputation {
  private readonly banned = new Map<string, string>();
  private readonly fruitless = new Map<string, number>();
  private readonly silences = new Map<string, number>();

  /** A funded purchase ended. */
  purchaseEnded(key: string, reason: string, payments: number): void {
    if (DISHONEST.has(reason)) return this.ban(key, reason);
    // Who has earned its deposit is no taker of deposits, however often a bad line is cut.
    if (payments >= WORTH_PAYMENTS) this.fruitless.delete(key);
    if (reason === 'seller-timeout') return this.fellSilent(key, payments);
    if (payments > 0 || reason === 'shutdown' || reason === 'capacity') return;
    if (counted(this.fruitless, key) >= MAX_FRUITLESS) this.ban(key, 'took-deposits');
  }

  private fellSilent(key: string, payments: number): void {
    if (payments < WORTH_PAYMENTS || counted(this.silences, key) >= MAX_SILENCES) this.ban(key, 'seller-timeout');
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

function counted(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  if (counts.size < MAX_REMEMBERED || counts.has(key)) counts.set(key, count);
  return count;
}
