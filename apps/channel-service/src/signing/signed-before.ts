import { z } from 'zod';
import { FeesOfADay } from './fees-of-a-day.js';
import { KeySet, keyWords } from './key-set.js';
import { txidSchema, satSchema, type SigningEntry } from './log-lines.js';

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
  /** When something was last signed with it, milliseconds since 1970. */
  readonly atMs: number;
}

const count = z.int().min(0);
const sats = z.array(z.tuple([count, satSchema]));

/** How it is written between two segments of the log; lists in place of names, since there are tens of thousands. */
export const writtenMemory = z.object({
  life: count,
  restoredAtMs: count.nullable(),
  /** Path, channel, k, txid, life, time. */
  settlements: z.array(z.tuple([z.string(), txidSchema, count, txidSchema, count, count])),
  over: keyWords,
  treasury: z.array(txidSchema),
  childFees: z.array(z.tuple([txidSchema, satSchema])),
  fees: z.object({ child: sats, treasury: sats }),
});

export type WrittenMemory = z.output<typeof writtenMemory>;

/**
 * What has been signed: of each key path the highest settlement, and the newest transactions of the treasury. It follows from
 * the lines of the log and nothing else. Keys whose channels are long over are remembered as that alone.
 */
export class SignedBefore {
  private readonly settlements = new Map<string, SettledBefore>();
  private over = new KeySet();
  private readonly treasury = new Set<string>();
  /** Highest fee that a child of a settlement was signed for, by the settlement's id. */
  private readonly childFees = new Map<string, bigint>();
  private readonly fees = { child: new FeesOfADay(), treasury: new FeesOfADay() };
  private life = 0;
  private restoredMs: number | null = null;

  static of(written: WrittenMemory): SignedBefore {
    const before = new SignedBefore();
    before.life = written.life;
    before.restoredMs = written.restoredAtMs;
    for (const [path, channel, k, txid, life, atMs] of written.settlements) {
      before.settlements.set(path, { channel, k, txid, life, atMs });
    }
    before.over = KeySet.of(written.over);
    for (const txid of written.treasury) before.treasury.add(txid);
    for (const [of, sat] of written.childFees) before.childFees.set(of, BigInt(sat));
    for (const kind of ['child', 'treasury'] as const) {
      for (const [atMs, sat] of written.fees[kind]) before.fees[kind].add(BigInt(sat), atMs);
    }
    return before;
  }

  written(): WrittenMemory {
    const texts = (fees: FeesOfADay) => fees.all().map(([atMs, sat]): [number, string] => [atMs, sat.toString()]);
    return {
      life: this.life,
      restoredAtMs: this.restoredMs,
      settlements: [...this.settlements].map(([path, { channel, k, txid, life, atMs }]) => {
        return [path, channel, k, txid, life, atMs];
      }),
      over: this.over.written(),
      treasury: [...this.treasury],
      childFees: [...this.childFees].map(([of, sat]) => [of, sat.toString()]),
      fees: { child: texts(this.fees.child), treasury: texts(this.fees.treasury) },
    };
  }

  /** @param atMs of the entry's line */
  note(entry: SigningEntry, atMs: number): void {
    switch (entry.kind) {
      case 'begun':
      case 'continued':
      case 'ended':
        return;
      case 'restored':
        if (entry.sure === true) return;
        this.life += 1;
        this.restoredMs = atMs;
        return;
      case 'settlement': {
        const { path, channel, k, txid } = entry;
        const { life } = this;
        const highest = this.settlements.get(path);
        const isHighest = highest === undefined || highest.k <= k;
        this.settlements.set(path, { ...(isHighest ? { channel, k, txid } : highest), life, atMs });
        return;
      }
      case 'child': {
        const feeSat = BigInt(entry.feeSat);
        this.fees.child.add(this.childCost(entry.of, feeSat), atMs);
        if (feeSat > this.childFeeOf(entry.of)) this.childFees.set(entry.of, feeSat);
        if (this.childFees.size > RECENT) this.childFees.delete(oldestOf(this.childFees.keys()));
        break;
      }
      case 'sweep':
      case 'split':
        this.fees.treasury.add(BigInt(entry.feeSat), atMs);
        break;
    }
    this.treasury.add(entry.txid);
    if (this.treasury.size > RECENT) this.treasury.delete(oldestOf(this.treasury.values()));
  }

  /**
   * Keys with which nothing was signed since then are over: that is all that is kept of them, and nothing is ever signed with
   * them again. So nothing that is forgotten can be signed otherwise.
   */
  endBefore(thenMs: number): void {
    for (const [path, { atMs }] of this.settlements) {
      if (atMs >= thenMs) continue;
      this.settlements.delete(path);
      this.over.add(path);
    }
  }

  settlement(path: string): SettledBefore | undefined {
    return this.settlements.get(path);
  }

  /** Whether a key has signed, and then nothing for so long that it never signs again. */
  isOver(path: string): boolean {
    return !this.settlements.has(path) && this.over.has(path);
  }

  /** Whether what is known of a key is all: something was signed with it since the log was last put back. */
  isAll(path: string): boolean {
    return this.life === 0 || this.settlements.get(path)?.life === this.life;
  }

  /** When a copy of the log was last put back for which nobody vouched; undefined where none was. */
  get restoredAtMs(): number | undefined {
    return this.restoredMs ?? undefined;
  }

  hasTreasury(txid: string): boolean {
    return this.treasury.has(txid);
  }

  /** 0 where none was signed. */
  childFeeOf(settlementTxid: string): bigint {
    return this.childFees.get(settlementTxid) ?? 0n;
  }

  /** What a child costs beyond those that it replaces. */
  childCost(settlementTxid: string, feeSat: bigint): bigint {
    const paid = this.childFeeOf(settlementTxid);
    return feeSat > paid ? feeSat - paid : 0n;
  }

  /** Oldest first, milliseconds since 1970 and satoshi. */
  feesOf(kind: 'child' | 'treasury'): (readonly [number, bigint])[] {
    return this.fees[kind].all();
  }
}

function oldestOf(names: Iterator<string>): string {
  const first = names.next();
  return first.done === true ? '' : first.value;
}
