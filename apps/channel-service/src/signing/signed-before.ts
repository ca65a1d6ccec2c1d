import type { SigningEntry } from './signing-log.js';

/** Transactions of the treasury that are known again: more than are asked for again, or replaced, at one time. */
const RECENT = 10_000;

/** The highest settlement that was signed with a key. */
export interface SettledBefore {
  /** Digest of the channel. */
  readonly channel: string;
  readonly k: number;
  readonly txid: string;
  /** Of which life of the log its newest line is: a copy that was put back begins another. */
  readonly life: number;
}

/** What has been signed: of each key path the highest settlement, and the newest transactions of the treasury. */
export class SignedBefore {
  private readonly settlements = new Map<string, SettledBefore>();
  private readonly treasury = new Set<string>();
  /** Highest fee that a child of a settlement was signed for, by the settlement's id. */
  private readonly childFees = new Map<string, bigint>();
  private life = 0;

  note(entry: SigningEntry): void {
    switch (entry.kind) {
      case 'begun':
        return;
      case 'restored':
        if (entry.sure !== true) this.life += 1;
        return;
      case 'settlement': {
        const { path, channel, k, txid } = entry;
        const { life } = this;
        const highest = this.settlements.get(path);
        const isHighest = highest === undefined || highest.k <= k;
        this.settlements.set(path, isHighest ? { channel, k, txid, life } : { ...highest, life });
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

  /** Whether what is known of a key is all: something was signed with it since the log was last put back. */
  isAll(path: string): boolean {
    return this.life === 0 || this.settlements.get(path)?.life === this.life;
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
