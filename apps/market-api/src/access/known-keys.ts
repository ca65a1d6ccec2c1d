import type { ApiKeyRecord } from './api-key.repository.js';

/** How long a key counts without a look into the database: another process may have revoked it meanwhile. */
export const KNOWN_MS = 1_000;
const MAX_KNOWN = 1_000;

type KnownKey = Pick<ApiKeyRecord, 'id' | 'name' | 'scopes' | 'revokedAt' | 'expiresAt'>;

interface Entry {
  readonly key: KnownKey;
  readonly untilMs: number;
}

/**
 * Keys that came a moment ago, by their digest, so that a busy client's every request does not ask the database whose key
 * it is. Texts that are nobody's key are not kept. At most `MAX_KNOWN`, the oldest making way.
 */
export class KnownKeys {
  private readonly entries = new Map<string, Entry>();
  private forgotten = 0;

  get(digest: string, nowMs: number): KnownKey | undefined {
    const entry = this.entries.get(digest);
    return entry !== undefined && entry.untilMs > nowMs ? entry.key : undefined;
  }

  /** Call before the database is asked; what it returns keeps the answer, unless a key was revoked in between. */
  asking(digest: string): (key: KnownKey, nowMs: number) => void {
    const { forgotten } = this;
    return (key, nowMs) => {
      if (forgotten !== this.forgotten) return;
      this.entries.delete(digest);
      this.entries.set(digest, { key, untilMs: nowMs + KNOWN_MS });
      if (this.entries.size <= MAX_KNOWN) return;
      const oldest = this.entries.keys().next();
      if (oldest.done !== true) this.entries.delete(oldest.value);
    };
  }

  forget(): void {
    this.forgotten += 1;
    this.entries.clear();
  }
}
