/** Does one piece of work and answers after how many ms it is due again; undefined: never. Must not reject. */
export type Errand = () => Promise<number | undefined>;

export interface AgendaOptions {
  /** Errands under way at once. */
  readonly maxRunning: number;
  /** Asked before each errand; false makes it wait for a moment. */
  readonly mayStart: () => boolean;
}

interface Entry {
  readonly errand: Errand;
  dueMs: number;
  cancelled: boolean;
}

/** How soon `mayStart` is asked again. */
const PAUSE_MS = 50;

/**
 * Errands that come round again and again, in the order in which they fell due. What is late is not skipped: with more
 * work than the budget allows everything comes round more slowly, and nothing starves.
 */
export class Agenda {
  /** A binary heap by `dueMs`. */
  private readonly heap: Entry[] = [];
  private running = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly options: AgendaOptions) {}

  /** Errands waiting for their time. */
  get size(): number {
    return this.heap.length;
  }

  /** Adds an errand, due at once and before everything that is merely late. Answers how to cancel it. */
  add(errand: Errand): () => void {
    const entry: Entry = { errand, dueMs: Number.NEGATIVE_INFINITY, cancelled: false };
    this.push(entry);
    this.schedule();
    return () => (entry.cancelled = true);
  }

  /** Starts nothing more. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.heap.length = 0;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const next = this.heap[0];
    if (this.stopped || next === undefined || this.running >= this.options.maxRunning) return;
    const waitMs = Math.max(0, next.dueMs - performance.now());
    this.timer = setTimeout(() => this.startDue(), waitMs);
    this.timer.unref();
  }

  private startDue(): void {
    for (let next = this.heap[0]; next !== undefined; next = this.heap[0]) {
      if (next.cancelled) {
        this.pop();
        continue;
      }
      if (next.dueMs > performance.now() || this.running >= this.options.maxRunning) break;
      if (!this.options.mayStart()) {
        this.timer = setTimeout(() => this.startDue(), PAUSE_MS);
        this.timer.unref();
        return;
      }
      this.pop();
      void this.run(next);
    }
    this.schedule();
  }

  private async run(entry: Entry): Promise<void> {
    this.running += 1;
    const againMs = await entry.errand();
    this.running -= 1;
    if (this.stopped) return;
    if (againMs !== undefined && !entry.cancelled) {
      entry.dueMs = performance.now() + againMs;
      this.push(entry);
    }
    this.schedule();
  }

  private push(entry: Entry): void {
    const { heap } = this;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (dueAt(heap, parent) <= entry.dueMs) break;
      swap(heap, at, parent);
      at = parent;
    }
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const child = dueAt(heap, left + 1) < dueAt(heap, left) ? left + 1 : left;
      if (dueAt(heap, child) >= last.dueMs) return;
      swap(heap, at, child);
      at = child;
    }
  }
}

function dueAt(heap: readonly Entry[], at: number): number {
  return heap[at]?.dueMs ?? Number.POSITIVE_INFINITY;
}

function swap(heap: Entry[], a: number, b: number): void {
  const [first, second] = [heap[a], heap[b]];
  if (first === undefined || second === undefined) return;
  heap[a] = second;
  heap[b] = first;
}

/** A span made up to a tenth longer or shorter, so that what began together does not stay together. */
export function jittered(ms: number): number {
  return ms * (0.9 + Math.random() * 0.2);
}
