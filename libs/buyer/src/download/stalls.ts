import type { LinkStatus } from '@seedfleet/exchange';

/** Bytes per second below which a seller is taken for one that holds on to its buyers: a modem is faster. */
const SLOWEST_BYTES_PER_S = 4_096;
/** A piece may take this long however small it is: a seller may wait for a confirmation of the deposit. */
const SHORTEST_PATIENCE_MS = 120_000;

interface Watched {
  receivedBytes: number;
  progressMs: number;
  pieceMs: number;
}

/** Finds sellers that owe a piece and do not send it: silent for too long, or too slow to be meant. */
export class Stalls {
  private readonly watched = new Map<number, Watched>();
  private readonly patienceMs: number;

  /**
   * @param silenceMs how long a seller that owes a piece may send nothing at all
   */
  constructor(
    pieceLengthBytes: number,
    private readonly silenceMs: number,
  ) {
    this.patienceMs = Math.max(SHORTEST_PATIENCE_MS, (pieceLengthBytes / SLOWEST_BYTES_PER_S) * 1_000, silenceMs);
  }

  /** A whole piece came. */
  pieceArrived(connection: number, nowMs: number): void {
    const entry = this.watched.get(connection);
    if (entry !== undefined) entry.pieceMs = nowMs;
  }

  /** To be called about once a second with all links. Returns the connections that have stalled. */
  check(links: readonly LinkStatus[], receivedBytes: (connection: number) => number, nowMs: number): number[] {
    const present = new Set(links.map(({ connection }) => connection));
    for (const connection of this.watched.keys()) if (!present.has(connection)) this.watched.delete(connection);
    return links.flatMap(({ connection, open, closed }) => {
      const bytes = receivedBytes(connection);
      const entry = this.watched.get(connection);
      if (entry === undefined || open === 0 || closed) {
        this.watched.set(connection, { receivedBytes: bytes, progressMs: nowMs, pieceMs: nowMs });
        return [];
      }
      if (bytes !== entry.receivedBytes) {
        entry.receivedBytes = bytes;
        entry.progressMs = nowMs;
      }
      const stalled = nowMs - entry.progressMs > this.silenceMs || nowMs - entry.pieceMs > this.patienceMs;
      return stalled ? [connection] : [];
    });
  }
}
