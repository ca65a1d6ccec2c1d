import type { SigningEntry } from './signing-log.js';

/** Transactions of the treasury that are known again: more than are asked for again, or replaced, at one time. */
const RECENT = 10_000;

/** The highest settlement that was signed with a key. */
export interface SettledBefore {
  /** Digest of the channel. */
  readonly channel: string;
  readonly k: number;
  readonly txid: string;
}

/** What has been signed: of each key path the highest settlement, and the newest transactions of the treasury. */
export class SignedBefore {
  private readonly settlements = new Map<string, SettledBefore>();
  private readonly treasury = new Set<string>();
  /** Highest fee that a child of a settlement was signed for, by the settlement's id. */
  private readonly childFees = new Map<string, bigint>();

  note(entry: SigningEntry): void {
    switch (entry.kind) {
      case 'begun':
        return;
      case 'settlement': {
        const { path, channel, k, txid } = entry;
        const highest = this.settlements.get(path);
        if (highest === undefined || highest.k <= k) this.settlements.set(path, { channel, k, txid });
        return;
      }
      case 'child': {
        const feeSat = BigInt(entry.feeSat);
        if (feeSat > this.childFeeOf(entry.of)) this.childFees.set(entry.of, feeSat);
        if (this.childFees.size > RECENT) this.childFees.delete(oldestOf(this.childFees.keys()));
        break;
      }
      case 'sweep':
      case 'split':
        break;
    }
    this.treasury.add(entry.txid);
    if (this.treasury.size > RECENT) this.treasury.delete(oldestOf(this.treasury.values()));
  }

  settlement(path: string): SettledBefore | undefined {
    return this.settlements.get(path);
  }

  hasTreasury(txid: string): boolean {
    return this.treasury.has(txid);
  }

  /** 0 where none was signed. */
  childFeeOf(settlementTxid: string): bigint {
    return this.childFees.get(settlementTxid) ?? 0n;
  }
}

function oldestOf(names: Iterator<string>): string {
  const first = names.next();
  return first.done === true ? '' : first.value;
}
