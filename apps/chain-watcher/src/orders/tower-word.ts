import type { HeldOrder } from './dated-orders.js';

/** What the tower says is fresh for so long: whoever asked looks again within seconds. */
const FRESH_MS = 60_000;
/** Orders remembered; whoever asked for one that is forgotten asks again. */
const MAX_REMEMBERED = 10_000;

interface Word {
  readonly held: HeldOrder | null;
  readonly atMs: number;
}

/**
 * What the tower has said last of each order, also of one that is not in the table: a database that is back from an old
 * copy may not know it. Null where it holds nothing. Gone with the process.
 */
export class TowerWord {
  readonly #said = new Map<string, Word>();

  /** @param beginMs when listening began, Unix milliseconds */
  constructor(private readonly beginMs: number) {}

  heard(orders: readonly HeldOrder[], without: readonly string[], nowMs: number): void {
    for (const held of orders) this.#keep(held.id, { held, atMs: nowMs });
    for (const id of without) this.#keep(id, { held: null, atMs: nowMs });
  }

  /** Since when nothing was heard of this order, Unix milliseconds: since the beginning. Null where something was. */
  unheardSince(id: string): number | null {
    return this.#said.has(id) ? null : this.beginMs;
  }

  /** What it said last, however long ago; null where that was nothing. */
  last(id: string): HeldOrder | null {
    return this.#said.get(id)?.held ?? null;
  }

  /** Undefined where it has not said anything lately. */
  of(id: string, nowMs: number): HeldOrder | null | undefined {
    const word = this.#said.get(id);
    return word === undefined || nowMs - word.atMs > FRESH_MS ? undefined : word.held;
  }

  #keep(id: string, word: Word): void {
    this.#said.delete(id);
    this.#said.set(id, word);
    const [oldest] = this.#said.keys();
    if (this.#said.size > MAX_REMEMBERED && oldest !== undefined) this.#said.delete(oldest);
  }
}
