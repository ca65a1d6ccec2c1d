import type { Standing } from './source-scores.js';

export interface ScoreTableOptions {
  readonly halfLifeMs: number;
  readonly throttleAt: number;
  readonly banAt: number;
  readonly maxEntries: number;
}

interface Entry {
  /** As of `atMs`. */
  points: number;
  atMs: number;
  banned: boolean;
  passedAtMs: number;
}

/** How many of the oldest entries are compared when one has to go. */
const EVICTION_SAMPLE = 8;
/** Less than this is forgotten when room is needed, whatever else is there. */
const NEGLIGIBLE = 0.5;

/** Exponentially decaying points by key, for a bounded number of keys. */
export class ScoreTable {
  /** Least recently charged first. */
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: ScoreTableOptions) {}

  get size(): number {
    return this.entries.size;
  }

  /** Adds points, or takes some away; a score is never below nothing. */
  add(key: string, points: number, nowMs: number): void {
    const known = this.entries.get(key);
    if (known === undefined && points <= 0) return;
    const entry = known ?? { points: 0, atMs: nowMs, banned: false, passedAtMs: -Infinity };
    entry.points = Math.max(0, this.decayed(entry, nowMs) + points);
    entry.atMs = nowMs;
    if (entry.points >= this.options.banAt) entry.banned = true;
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (this.entries.size > this.options.maxEntries) this.evict(nowMs);
  }

  standing(key: string, nowMs: number): Standing {
    const entry = this.entries.get(key);
    if (entry === undefined) return 'good';
    const points = this.decayed(entry, nowMs);
    if (points < this.options.throttleAt) entry.banned = false;
    if (entry.banned) return 'banned';
    return points >= this.options.throttleAt ? 'throttled' : 'good';
  }

  /** Whether a key that is slowed down may pass now: once per pause. */
  pass(key: string, nowMs: number, pauseMs: number): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return true;
    if (nowMs - entry.passedAtMs < pauseMs) return false;
    entry.passedAtMs = nowMs;
    return true;
  }

  private decayed({ points, atMs }: Entry, nowMs: number): number {
    return points * 2 ** ((atMs - nowMs) / this.options.halfLifeMs);
  }

  /** The cheapest of the oldest goes, so that a stream of fresh keys does not wash out the expensive ones. */
  private evict(nowMs: number): void {
    let cheapest: { key: string; points: number } | undefined;
    let seen = 0;
    for (const [key, entry] of this.entries) {
      const points = this.decayed(entry, nowMs);
      if (cheapest === undefined || points < cheapest.points) cheapest = { key, points };
      if (++seen >= EVICTION_SAMPLE || points < NEGLIGIBLE) break;
    }
    if (cheapest !== undefined) this.entries.delete(cheapest.key);
  }
}
