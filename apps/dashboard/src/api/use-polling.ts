import { useEffect, useState } from 'react';
import { useSession } from '../session/session';
import { getJson, type ApiFailure } from './client';

export interface Polled<T> {
  /** The newest answer; kept while later questions fail. */
  readonly value: T | undefined;
  /** What is wrong now; undefined while answers come. */
  readonly failure: ApiFailure | undefined;
}

/** How often the page asks. A hidden page does not ask at all. */
const EVERY_MS = 2_000;

/** Asks for `path` again and again while the page is seen; null asks nothing. A changed path starts anew. */
export function usePolling<T>(path: string | null): Polled<T> {
  const { key, onUnauthenticated } = useSession();
  const [polled, setPolled] = useState<Polled<T> & { readonly path: string | null }>({
    path,
    value: undefined,
    failure: undefined,
  });

  useEffect(() => {
    if (path === null) return undefined;
    const aborted = new AbortController();
    let timer: number | undefined;

    const ask = async (): Promise<void> => {
      const result = await getJson<T>(path, key, aborted.signal);
      if (result.ok) setPolled({ path, value: result.value, failure: undefined });
      else if (result.failure.kind === 'unauthenticated') return onUnauthenticated();
      else {
        const { failure } = result;
        setPolled((before) => ({ path, value: before.path === path ? before.value : undefined, failure }));
      }
      timer = window.setTimeout(askIfSeen, EVERY_MS);
    };
    const askIfSeen = (): void => {
      window.clearTimeout(timer);
      // An aborted question belongs to a page that is gone.
      if (document.visibilityState === 'visible') ask().catch(() => undefined);
    };

    askIfSeen();
    document.addEventListener('visibilitychange', askIfSeen);
    return () => {
      aborted.abort();
      window.clearTimeout(timer);
      document.removeEventListener('visibilitychange', askIfSeen);
    };
  }, [path, key, onUnauthenticated]);

  // An answer to another question is not shown under this one.
  return polled.path === path ? polled : { value: undefined, failure: undefined };
}
