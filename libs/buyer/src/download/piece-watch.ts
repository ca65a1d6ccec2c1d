import { PieceSet } from '@seedfleet/bittorrent';

/** Which pieces are on disk, and whoever waits for one. */
export class PieceWatch {
  private readonly there: PieceSet;
  private readonly waiting = new Map<number, (() => void)[]>();

  constructor(pieces: number, had: readonly number[]) {
    this.there = new PieceSet(pieces);
    for (const piece of had) this.there.add(piece);
  }

  get count(): number {
    return this.there.count;
  }

  has(piece: number): boolean {
    return this.there.has(piece);
  }

  /** A piece is on disk. */
  written(piece: number): void {
    this.there.add(piece);
    const waiters = this.waiting.get(piece) ?? [];
    this.waiting.delete(piece);
    for (const wake of waiters) wake();
  }

  /** Resolves once the piece is on disk; rejects when the signal comes first. */
  until(piece: number, signal: AbortSignal): Promise<void> {
    if (this.has(piece)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        const rest = (this.waiting.get(piece) ?? []).filter((other) => other !== wake);
        if (rest.length === 0) this.waiting.delete(piece);
        else this.waiting.set(piece, rest);
        reject(new Error('no longer waited for'));
      };
      if (signal.aborted) return reject(new Error('no longer waited for'));
      this.waiting.set(piece, [...(this.waiting.get(piece) ?? []), wake]);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
