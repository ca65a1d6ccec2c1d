import { createContext, useContext } from 'react';

/** Who looks at the page: the API key, for this browser tab only. */
export interface Session {
  readonly key: string;
  readonly onUnauthenticated: () => void;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('used outside of a session');
  return session;
}

const STORAGE_NAME = 'seedfleet.key';

/**
 * The key of this tab: from `#key=…`, which is taken out of the address at once so that it stays out of history and
 * bookmarks, or from the tab's own storage, which ends with the tab.
 */
export function findKey(): string | undefined {
  const given = /^#key=(.+)$/.exec(window.location.hash)?.[1];
  if (given !== undefined) {
    window.history.replaceState(null, '', window.location.pathname);
    storeKey(decodeURIComponent(given));
  }
  return window.sessionStorage.getItem(STORAGE_NAME) ?? undefined;
}

export function storeKey(key: string): void {
  window.sessionStorage.setItem(STORAGE_NAME, key);
}

export function forgetKey(): void {
  window.sessionStorage.removeItem(STORAGE_NAME);
}
