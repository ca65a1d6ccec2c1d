/** A page under load: what is asked, and how long it took. */
export interface LoadResult {
  readonly requests: number;
  readonly failures: number;
  readonly perSecond: number;
  /** From when a request was due to the last byte of its answer, sorted. */
  readonly milliseconds: readonly number[];
}

export interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

/** More open requests than this mean that the server has fallen behind for good. */
const MOST_OPEN = 2_000;

/**
 * Sends requests when they are due, however long others take, as independent users would; so a slow answer delays nobody
 * else, and waiting counts.
 */
export async function underLoad(ask: () => Promise<Answer>, rate: number, seconds: number): Promise<LoadResult> {
  const count = rate * seconds;
  const milliseconds: number[] = [];
  const open = new Set<Promise<void>>();
  let failures = 0;
  const startedMs = performance.now();
  for (let sent = 0; sent < count; sent += 1) {
    const dueMs = startedMs + (sent / rate) * 1_000;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (open.size >= MOST_OPEN) await Promise.race(open);
    const request: Promise<void> = ask().then(
      ({ ok }) => {
        if (!ok) failures += 1;
        milliseconds.push(performance.now() - dueMs);
        open.delete(request);
      },
      () => {
        failures += 1;
        open.delete(request);
      },
    );
    open.add(request);
  }
  await Promise.all(open);
  const elapsed = (performance.now() - startedMs) / 1_000;
  milliseconds.sort((a, b) => a - b);
  return { requests: count, failures, perSecond: milliseconds.length / elapsed, milliseconds };
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
