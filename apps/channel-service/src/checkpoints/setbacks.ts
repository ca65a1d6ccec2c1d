/** Pauses before a row that failed is tried again, milliseconds: soon after a hiccup, and seldom for what a person must mend. */
const FIRST_MS = 4_000;
const LONGEST_MS = 120_000;
/** Rows remembered. More fail together only where everything does, and then each look begins anew. */
const MAX_REMEMBERED = 1_000;

interface Setback {
  readonly attempts: number;
  readonly untilMs: number;
  /** Null where nothing failed, and it is only too early. */
  readonly code: string | null;
}

/**
 * Rows that could not be worked on, and when each is tried again: a bad one is not tried at every look, nor does it take
 * the place of a good one. Forgotten at a restart.
 */
export class Setbacks {
  private readonly known = new Map<string, Setback>();

  /** The ids that are not to be tried yet. */
  waiting(nowMs: number): string[] {
    this.forgetOld(nowMs);
    return [...this.known].filter(([, { untilMs }]) => untilMs > nowMs).map(([id]) => id);
  }

  /** Counts a failure; each further one is followed by a pause twice as long. */
  failed(id: string, code: string, nowMs: number): void {
    const attempts = (this.known.get(id)?.attempts ?? 0) + 1;
    const pauseMs = Math.min(FIRST_MS * 2 ** Math.min(attempts - 1, 10), LONGEST_MS);
    this.set(id, { attempts, untilMs: nowMs + pauseMs, code });
  }

  /** It is no failure, only too early. */
  postponed(id: string, nowMs: number): void {
    this.set(id, { attempts: 0, untilMs: nowMs + FIRST_MS, code: null });
  }

  succeeded(id: string): void {
    this.known.delete(id);
  }

  /** How many rows fail, by code. */
  failing(nowMs: number): ReadonlyMap<string, number> {
    this.forgetOld(nowMs);
    const counts = new Map<string, number>();
    for (const { code } of this.known.values()) {
      if (code !== null) counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    return counts;
  }

  private set(id: string, setback: Setback): void {
    this.known.delete(id);
    this.known.set(id, setback);
    const [oldest] = this.known.keys();
    if (this.known.size > MAX_REMEMBERED && oldest !== undefined) this.known.delete(oldest);
  }

  /** What was due long ago and not tried is not asked for any more: its channel has moved on. */
  private forgetOld(nowMs: number): void {
    for (const [id, { untilMs }] of this.known) if (untilMs + LONGEST_MS < nowMs) this.known.delete(id);
  }
}
