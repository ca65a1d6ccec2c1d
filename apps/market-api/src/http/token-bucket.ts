/** How much one address or key may ask. */
export interface RateLimit {
  readonly perSecond: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  refilledAtMs: number;
}

/**
 * One token bucket per key, for at most `maxKeys` keys: the longest unused is forgotten first. Forgetting gives that
 * key a full bucket again, which a flood of addresses could buy anyhow.
 */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly limit: RateLimit,
    private readonly maxKeys: number,
  ) {}

  /**
   * Takes one token. `waitMs` is 0 when there was one, else after how many milliseconds there will be; `remaining` says
   * how many are left at once.
   */
  take(key: string, nowMs: number): { waitMs: number; remaining: number } {
    const { perSecond, burst } = this.limit;
    const bucket = this.buckets.get(key) ?? { tokens: burst, refilledAtMs: nowMs };
    const elapsedMs = Math.max(0, nowMs - bucket.refilledAtMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs / 1_000) * perSecond);
    bucket.refilledAtMs = nowMs;
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    if (this.buckets.size > this.maxKeys) {
      const oldest = this.buckets.keys().next();
      if (oldest.done !== true) this.buckets.delete(oldest.value);
    }
    if (bucket.tokens < 1) return { waitMs: Math.ceil(((1 - bucket.tokens) / perSecond) * 1_000), remaining: 0 };
    bucket.tokens -= 1;
    return { waitMs: 0, remaining: Math.floor(bucket.tokens) };
  }
}
