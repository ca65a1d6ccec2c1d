import { nameInWords } from '../format';

/** Why a question to the API had no answer. */
export type ApiFailure =
  /** The session has ended: the operator signs in again. */
  | { readonly kind: 'unauthenticated' }
  /** The API refused for another reason: the code of its problem document, and its own words. */
  | {
      readonly kind: 'refused';
      readonly code: string;
      readonly detail: string;
      readonly waitS?: number;
      /** The torrent that stands in the way. */
      readonly infoHash?: string;
    }
  /** No answer. */
  | { readonly kind: 'unreachable' };

export type ApiResult<T> =
  | { readonly ok: true; readonly value: T; readonly etag: string | undefined }
  | { readonly ok: false; readonly failure: ApiFailure };

export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

const CALL_MS = 20_000;

/** Asks the API that served this page. Rejects only when `signal` says that nobody waits any more. */
export function getJson<T>(path: string, signal: AbortSignal): Promise<ApiResult<T>> {
  return ask<T>(path, { headers: { accept: 'application/json' } }, signal);
}

interface SendOptions {
  /** What was read: refused where that has changed since. */
  readonly etag?: string | undefined;
  /** Sent again with the same key, a write whose answer was lost is not made twice. */
  readonly key?: string;
  readonly waitMs?: number;
}

/** Names a write. Browsers have no randomUUID on a page that came over plain HTTP. */
export function newWriteKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Writes. Each call is made once, even where the network repeats it: it carries an Idempotency-Key of its own. */
export function send<T>(
  method: WriteMethod,
  path: string,
  body?: object,
  { etag, key = newWriteKey(), waitMs = CALL_MS }: SendOptions = {},
): Promise<ApiResult<T>> {
  const headers: Record<string, string> = { accept: 'application/json', 'idempotency-key': key };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (etag !== undefined) headers['if-match'] = etag;
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return ask<T>(path, init, new AbortController().signal, waitMs);
}

async function ask<T>(
  path: string,
  init: RequestInit,
  signal: AbortSignal,
  waitMs: number = CALL_MS,
): Promise<ApiResult<T>> {
  try {
    const response = await fetch(path, {
      ...init,
      cache: 'no-store',
      credentials: 'same-origin',
      signal: AbortSignal.any([signal, AbortSignal.timeout(waitMs)]),
    });
    if (response.ok) {
      const value = (response.status === 204 ? undefined : await response.json()) as T;
      return { ok: true, value, etag: response.headers.get('etag') ?? undefined };
    }
    const problem = (await response.json().catch(() => ({}))) as Partial<Problem>;
    if (response.status === 401 && path !== '/v1/session') return { ok: false, failure: { kind: 'unauthenticated' } };
    const { code = `http-${response.status}`, detail = `HTTP ${response.status}`, waitS, infoHash } = problem;
    const more = { ...(waitS === undefined ? {} : { waitS }), ...(infoHash === undefined ? {} : { infoHash }) };
    return { ok: false, failure: { kind: 'refused', code, detail, ...more } };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { ok: false, failure: { kind: 'unreachable' } };
  }
}

/** A problem document, as far as it is looked at. */
interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly waitS: number;
  readonly infoHash: string;
}

/** Whether somebody else has changed meanwhile what was to be changed. */
export function isStale(failure: ApiFailure): boolean {
  return failure.kind === 'refused' && failure.code === 'precondition-failed';
}

/** A failure in words for a person. */
export function wordsOf(failure: ApiFailure): string {
  switch (failure.kind) {
    case 'unauthenticated':
      return 'The session has ended.';
    case 'unreachable':
      return 'The fleet does not answer.';
    case 'refused':
      return failure.code === 'scope-missing'
        ? `This key may not do that: ${failure.detail}.`
        : sentence(failure.code === 'validation-failed' ? fieldInWords(failure.detail) : failure.detail);
  }
}

/** "price.satPerMib: must be …" → "sat per mib: must be …". */
function fieldInWords(detail: string): string {
  return detail.replace(/^(?:[\w-]+\.)*([A-Za-z][\w-]*)(?=: )/, (_, field: string) => nameInWords(field));
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
