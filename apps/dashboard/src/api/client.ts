/** Why a question to the API had no answer. */
export type ApiFailure =
  /** The key is unknown or revoked: the operator signs in again. */
  | { readonly kind: 'unauthenticated' }
  /** The API refused for another reason, in its own words. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** No answer. */
  | { readonly kind: 'unreachable' };

export type ApiResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: ApiFailure };

const CALL_MS = 15_000;

/** Asks the API that served this page. Rejects only when `signal` says that nobody waits any more. */
export async function getJson<T>(path: string, key: string, signal: AbortSignal): Promise<ApiResult<T>> {
  try {
    const response = await fetch(path, {
      headers: { accept: 'application/json', authorization: `Bearer ${key}` },
      cache: 'no-store',
      signal: AbortSignal.any([signal, AbortSignal.timeout(CALL_MS)]),
    });
    if (response.status === 401) return { ok: false, failure: { kind: 'unauthenticated' } };
    if (response.ok) return { ok: true, value: (await response.json()) as T };
    const problem = (await response.json().catch(() => ({}))) as { detail?: string };
    return { ok: false, failure: { kind: 'refused', detail: problem.detail ?? `HTTP ${response.status}` } };
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    return { ok: false, failure: { kind: 'unreachable' } };
  }
}
