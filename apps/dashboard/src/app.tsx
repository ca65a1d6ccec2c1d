import { useCallback, useEffect, useMemo, useState } from 'react';
import type { Fleet, FleetNode, Page, Revenue, Torrent } from './api/types';
import { usePolling, type Polled } from './api/use-polling';
import { ago } from './format';
import { Channels } from './sections/channels';
import { Headline } from './sections/headline';
import { Now } from './sections/now';
import { Torrents } from './sections/torrents';
import { findKey, forgetKey, SessionContext, storeKey } from './session/session';
import { SignIn } from './session/sign-in';
import { applyTheme, nextTheme, storedTheme } from './theme';

export function App() {
  const [key, setKey] = useState(findKey);
  const [reason, setReason] = useState<string>();

  const signOut = useCallback((why?: string) => {
    forgetKey();
    setReason(why);
    setKey(undefined);
  }, []);
  const signIn = useCallback((given: string) => {
    storeKey(given);
    setKey(given);
  }, []);
  const session = useMemo(
    () =>
      key === undefined
        ? undefined
        : { key, onUnauthenticated: () => signOut('The key is not valid any more. Paste another.') },
    [key, signOut],
  );

  if (session === undefined) return <SignIn reason={reason} onKey={signIn} />;
  return (
    <SessionContext value={session}>
      <Overview onSignOut={() => signOut()} />
    </SessionContext>
  );
}

/** The page of somebody who has signed in. */
function Overview({ onSignOut }: { readonly onSignOut: () => void }) {
  const fleet = usePolling<Fleet>('/v1/fleet');
  const nodes = usePolling<{ readonly items: readonly FleetNode[] }>('/v1/nodes');
  const torrents = usePolling<Page<Torrent>>('/v1/torrents?limit=200');
  const revenue = usePolling<Revenue>('/v1/revenue?limit=500');
  return (
    <>
      <TopBar fleet={fleet} onSignOut={onSignOut} />
      <main>
        <Headline revenue={revenue} />
        <Torrents torrents={torrents} revenue={revenue} />
        <Now fleet={fleet} nodes={nodes} />
        <Channels fleet={fleet} />
      </main>
    </>
  );
}

function TopBar({ fleet, onSignOut }: { readonly fleet: Polled<Fleet>; readonly onSignOut: () => void }) {
  const [theme, setTheme] = useState(storedTheme);
  useEffect(() => applyTheme(theme), [theme]);
  return (
    <header className="top">
      <h1>
        <img src="/icon.svg" alt="" width="28" height="28" /> Seedfleet
      </h1>
      {fleet.value !== undefined && <span className="network">{fleet.value.network}</span>}
      <Liveness fleet={fleet} />
      <button type="button" className="quiet" onClick={() => setTheme(nextTheme)} aria-label={`Colours: ${theme}`}>
        {theme === 'system' ? 'Auto' : theme === 'light' ? 'Light' : 'Dark'}
      </button>
      <button type="button" className="quiet" onClick={onSignOut}>
        Sign out
      </button>
    </header>
  );
}

const TICK_MS = 1_000;

/** Says that the page is live, and how old its figures are when it is not. */
function Liveness({ fleet }: { readonly fleet: Polled<Fleet> }) {
  const [nowMs, setNowMs] = useState(() => Date.now());
  const [answeredAtMs, setAnsweredAtMs] = useState(nowMs);
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => window.clearInterval(timer);
  }, []);
  useEffect(() => setAnsweredAtMs(Date.now()), [fleet.value]);
  const live = fleet.failure === undefined;
  const age = ago(new Date(answeredAtMs).toISOString(), new Date(nowMs).toISOString());
  return (
    <span className={live ? 'live' : 'live off'} role="status">
      <i aria-hidden="true" /> {live ? 'live' : `no answer for ${age}`}
    </span>
  );
}
