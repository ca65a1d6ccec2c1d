import { createHash } from 'node:crypto';

/** How long a credential counts as good after it was: longer than a person looks at a page. */
const GOOD_MS = 10 * 60_000;
const MAX_CREDENTIALS = 5_000;

/**
 * Digests of credentials that were good a moment ago, so that their owners can be told from strangers before anything is asked
 * of a database that has too much to do. It decides who waits for whom, never who may do what. The longest unused is forgotten first.
 */
export class KnownCredentials {
  private readonly goodUntilMs = new Map<string, number>();

  has(credential: string, nowMs: number): boolean {
    return (this.goodUntilMs.get(digest(credential)) ?? 0) > nowMs;
  }

  note(credential: string, isGood: boolean, nowMs: number): void {
    const key = digest(credential);
    this.goodUntilMs.delete(key);
    if (!isGood) return;
    this.goodUntilMs.set(key, nowMs + GOOD_MS);
    if (this.goodUntilMs.size <= MAX_CREDENTIALS) return;
    const oldest = this.goodUntilMs.keys().next();
    if (oldest.done !== true) this.goodUntilMs.delete(oldest.value);
  }
}

const digest = (credential: string): string => createHash('sha256').update(credential).digest('base64');
