import { useCallback, useEffect, useMemo, useState } from 'react';
import { getJson, send } from './api/client';
import { LiveProvider } from './api/live';
import { Pages } from './pages/pages';
import { RouterProvider } from './router';
import { mayHaveSession, noteSession, SessionContext, takeKeyFromAddress, type Who } from './session/session';
import { signIn, SignIn, signInWords } from './session/sign-in';
import { Shell } from './shell/shell';

type State =
  | { readonly kind: 'asking' }
  | { readonly kind: 'out'; readonly reason: string | undefined }
  | { readonly kind: 'in'; readonly who: Who };

export function App() {
  const [state, setState] = useState<State>({ kind: 'asking' });

  const enter = useCallback((who: Who) => {
    noteSession(true);
    setState({ kind: 'in', who });
  }, []);
  const leave = useCallback((reason?: string) => {
    noteSession(false);
    setState({ kind: 'out', reason });
  }, []);

  useEffect(() => {
    const aborted = new AbortController();
    const find = async (): Promise<void> => {
      const key = takeKeyFromAddress();
      if (key !== undefined) {
        const result = await signIn(key);
        return result.ok ? enter(result.value) : leave(signInWords(result.failure));
      }
      if (!mayHaveSession()) return leave();
      const result = await getJson<Who>('/v1/session', aborted.signal);
      if (result.ok) enter(result.value);
      else leave(result.failure.kind === 'unreachable' ? 'The fleet does not answer.' : undefined);
    };
    find().catch(() => undefined);
    return () => aborted.abort();
  }, [enter, leave]);

  const session = useMemo(
    () =>
      state.kind === 'in'
        ? {
            ...state.who,
            onEnded: () => leave('The session has ended. Sign in again.'),
            signOut: () => void send('DELETE', '/v1/session').then(() => leave()),
          }
        : undefined,
    [state, leave],
  );

  if (state.kind === 'asking') return null;
  if (session === undefined) {
    return <SignIn reason={state.kind === 'out' ? state.reason : undefined} onSignedIn={enter} />;
  }
  return (
    <SessionContext value={session}>
      <LiveProvider>
        <RouterProvider>
          <Shell>
            <Pages />
          </Shell>
        </RouterProvider>
      </LiveProvider>
    </SessionContext>
  );
}
