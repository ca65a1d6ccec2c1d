import { createContext, useContext } from 'react';

export type Scope = 'read' | 'operate' | 'money';

/** Who looks at the page. The session itself is a cookie that no script can read. */
export interface Who {
  readonly keyId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

export interface Session extends Who {
  readonly onEnded: () => void;
  readonly signOut: () => void;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('used outside of a session');
  return session;
}

/** Whether the key of this session may do something. */
export function useMay(scope: Scope): boolean {
  return useSession().scopes.includes(scope);
}

const FLAG = 'seedfleet.signed-in';

/** Whether this browser signed in before: else the API need not be asked. */
export function mayHaveSession(): boolean {
  return window.localStorage.getItem(FLAG) !== null;
}

export function noteSession(signedIn: boolean): void {
  if (signedIn) window.localStorage.setItem(FLAG, 'yes');
  else window.localStorage.removeItem(FLAG);
}

/** The key of an address `#key=…`; it is taken out of the address at once, so that it stays out of history. */
export function takeKeyFromAddress(): string | undefined {
  const given = /^#key=(.+)$/.exec(window.location.hash)?.[1];
  if (given === undefined) return undefined;
  window.history.replaceState(null, '', window.location.pathname + window.location.search);
  return decodeURIComponent(given);
}
