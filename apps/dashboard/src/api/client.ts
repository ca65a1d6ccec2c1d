/** Why a question to the API had no answer. */
export type ApiFailure =
  /** The session has ended: the operator signs in again. */
  | { readonly kind: 'unauthenticated' }
  /** The API refused for another reason: the code of its problem document, and its own words. */
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string; readonly waitS?: number }
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

/** Writes. Each call is made once, even where the network repeats it: it carries an Idempotency-Key of its own. */
export function send<T>(method: WriteMethod, path: string, body?: object, etag?: string): Promise<ApiResult<T>> {
  const headers: Record<string, string> = { accept: 'application/json', 'idempotency-key': crypto.randomUUID() };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (etag !== undefined) headers['if-match'] = etag;
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return ask<T>(path, init, new AbortController().signal);
}

async function ask<T>(path: string, init: RequestInit, signal: AbortSignal): Promise<ApiResult<T>> {
  try {
    const response = await fetch(path, {
      ...init,
      cache: 'no-store',
      credentials: 'same-origin',
      signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
    });
    if (response.ok) {
      const value = (response.status === 204 ? undefined : await response.json()) as T;
      return { ok: true, value, etag: response.headers.get('etag') ?? undefined };
    }
    const problem = (await response.json().catch(() => ({}))) as { code?: string; detail?: string; waitS?: number };
    if (response.status === 401 && path !== '/v1/session') return { ok: false, failure: { kind: 'unauthenticated' } };
    const { code = `http-${response.status}`, detail = `HTTP ${response.status}`, waitS } = problem;
    return { ok: false, failure: { kind: 'refused', code, detail, ...(waitS === undefined ? {} : { waitS }) } };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { ok: false, failure: { kind: 'unreachable' } };
  }
}

/** A failure in words for a person. */
export function wordsOf(failure: ApiFailure): string {
  switch (failure.kind) {
    case 'unauthenticated':
      return 'The session has ended.';
    case 'unreachable':
      return 'The fleet does not answer.';
    case 'refused':
      return failure.code === 'scope-missing' ? `This key may not do that: ${failure.detail}.` : failure.detail;
  }
}
