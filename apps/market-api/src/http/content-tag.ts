import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { Problem } from './problem.js';

/**
 * Entity tags of things that count no versions: a digest of what a write would replace. A writer that sends the tag back as
 * If-Match is refused when that is something else by now (RFC 9110, section 13). To be compared in the transaction that
 * writes, with the row locked.
 */

const DIGEST_LENGTH = 22;

export function contentTag(content: object | null): string {
  return digestTag(createHash('sha256').update(JSON.stringify(content)).digest('base64url'));
}

export function digestTag(digest: string): string {
  return `"c.${digest.slice(0, DIGEST_LENGTH)}"`;
}

export function tagged<T>(response: Response, tag: string, answer: T): T {
  response.set('ETag', tag);
  return answer;
}

/** The tags that a write with If-Match may replace; undefined where it may replace anything. */
export function tagsToMatch(request: Request): readonly string[] | undefined {
  const header = request.headers['if-match'];
  if (header === undefined || header.trim() === '*') return undefined;
  return header.split(',').map((tag) => tag.trim());
}

/** Throws `precondition-failed` when what is there is not what the write was made for. */
export function requireTag(wanted: readonly string[] | undefined, tag: string): void {
  if (wanted === undefined || wanted.includes(tag)) return;
  throw new Problem(412, 'precondition-failed', 'it has changed since it was read', { etag: tag });
}
