interface Entry<V> {
  readonly value: Promise<V>;
  readonly expiresAtMs: number;
}

/**
 * Answers that may be a little old, so that a crowd asking the same costs one query. Holds at most `maxEntries`, the
 * oldest making way; a failed computation is not kept. Callers that come while one is computed share it.
 */
export class ExpiringCache<V> {
  private readonly entries = new Map<string, Entry<V>>();

  constructor(
    private readonly maxAgeMs: number,
    private readonly maxEntries: number,
  ) {}

  get(key: string, nowMs: number, compute: () => Promise<V>): Promise<V> {
    const known = this.entries.get(key);
    if (known !== undefined && known.expiresAtMs > nowMs) return known.value;
    const value = compute();
    const entry = { value, expiresAtMs: nowMs + this.maxAgeMs };
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (this.entries.size > this.maxEntries) {
      const oldest = this.entries.keys().next();
      if (oldest.done !== true) this.entries.delete(oldest.value);
    }
    value.catch(() => {
      if (this.entries.get(key) === entry) this.entries.delete(key);
    });
    return value;
  }

  /** Forgets everything; also what is being computed, which may have begun before what was changed. */
  clear(): void {
    this.entries.clear();
  }
}
