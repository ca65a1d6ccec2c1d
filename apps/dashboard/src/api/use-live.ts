import { useCallback, useEffect, useRef, useState } from 'react';
import { useSession } from '../session/session';
import { getJson, type ApiFailure } from './client';
import { useLiveConnection, type News } from './live';

export interface Live<T> {
  /** The newest answer; kept while later questions fail. */
  readonly value: T | undefined;
  readonly etag: string | undefined;
  /** What is wrong now; undefined while answers come. */
  readonly failure: ApiFailure | undefined;
  readonly reload: () => void;
}

interface Answer<T> {
  readonly path: string | null;
  readonly value: T | undefined;
  readonly etag: string | undefined;
  readonly failure: ApiFailure | undefined;
}

/** However much happens, a list is not asked more often. */
const SETTLE_MS = 1_000;
/** Also without news: what only time changes, and what news were lost. */
const ANYHOW_MS = 20_000;

/**
 * Asks for `path`, and again whenever one of the families of events told of something; null asks nothing.
 * A changed path starts anew.
 */
export function useLive<T>(path: string | null, families: readonly News[] = []): Live<T> {
  const { onEnded } = useSession();
  const { listen } = useLiveConnection();
  const [answer, setAnswer] = useState<Answer<T>>({ path, value: undefined, etag: undefined, failure: undefined });
  const wanted = families.join(' ');
  const askNow = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (path === null) return undefined;
    const aborted = new AbortController();
    let timer: number | undefined;
    let asking = false;
    let again = false;

    const ask = async (): Promise<void> => {
      window.clearTimeout(timer);
      if (asking) {
        again = true;
        return;
      }
      asking = true;
      const result = await getJson<T>(path, aborted.signal);
      asking = false;
      if (result.ok) setAnswer({ path, value: result.value, etag: result.etag, failure: undefined });
      else if (result.failure.kind === 'unauthenticated') return onEnded();
      else {
        const { failure } = result;
        setAnswer((before) =>
          before.path === path ? { ...before, failure } : { path, value: undefined, etag: undefined, failure },
        );
      }
      timer = window.setTimeout(start, again ? SETTLE_MS : ANYHOW_MS);
      again = false;
    };
    // An aborted question belongs to a page that is gone.
    const start = () => void (document.visibilityState === 'visible' && ask().catch(() => undefined));
    let settling: number | undefined;
    const stop = listen((news) => {
      if (news !== 'reset' && !wanted.split(' ').includes(news)) return;
      settling ??= window.setTimeout(() => {
        settling = undefined;
        start();
      }, SETTLE_MS / 2);
    });
    askNow.current = () => void ask().catch(() => undefined);
    start();
    return () => {
      stop();
      aborted.abort();
      window.clearTimeout(timer);
      window.clearTimeout(settling);
    };
  }, [path, wanted, listen, onEnded]);

  const reload = useCallback(() => askNow.current(), []);
  // An answer to another question is not shown under this one.
  return answer.path === path
    ? { ...answer, reload }
    : { value: undefined, etag: undefined, failure: undefined, reload };
}

/** In place of what is not there yet. */
export function waiting({ failure }: Pick<Live<unknown>, 'failure'>): string {
  return failure === undefined ? 'Asking the fleet…' : 'Nothing to show.';
}

export interface Paged<T> extends Live<{ readonly items: readonly T[]; readonly nextCursor: string | null }> {
  /** 1 is the first. */
  readonly page: number;
  readonly next: (() => void) | undefined;
  readonly previous: (() => void) | undefined;
}

/** A list that the server cuts into pages; a changed path begins at the first. */
export function usePages<T>(path: string, families: readonly News[] = []): Paged<T> {
  const [trail, setTrail] = useState<{ readonly path: string; readonly cursors: readonly string[] }>({
    path,
    cursors: [],
  });
  const cursors = trail.path === path ? trail.cursors : [];
  const cursor = cursors.at(-1);
  const joint = path.includes('?') ? '&' : '?';
  const live = useLive<{ items: readonly T[]; nextCursor: string | null }>(
    cursor === undefined ? path : `${path}${joint}cursor=${encodeURIComponent(cursor)}`,
    families,
  );
  const following = live.value?.nextCursor ?? null;
  return {
    ...live,
    page: cursors.length + 1,
    next: following === null ? undefined : () => setTrail({ path, cursors: [...cursors, following] }),
    previous: cursors.length === 0 ? undefined : () => setTrail({ path, cursors: cursors.slice(0, -1) }),
  };
}
