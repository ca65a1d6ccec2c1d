import { useEffect, useState, type ReactNode } from 'react';
import { useLiveConnection } from '../api/live';
import type { Alerts, Fleet } from '../api/types';
import { useLive } from '../api/use-live';
import { count } from '../format';
import { useInView } from '../components/in-view';
import { Link, useRouter } from '../router';
import { useSession } from '../session/session';
import { applyTheme, nextTheme, storedTheme } from '../theme';
import { ICONS, type IconName } from './icons';

const PLACES: readonly { readonly to: string; readonly name: string; readonly icon: IconName }[] = [
  { to: '/', name: 'Overview', icon: 'overview' },
  { to: '/revenue', name: 'Revenue', icon: 'revenue' },
  { to: '/torrents', name: 'Torrents', icon: 'torrents' },
  { to: '/channels', name: 'Channels', icon: 'channels' },
  { to: '/nodes', name: 'Nodes', icon: 'nodes' },
  { to: '/settlement', name: 'Settlement', icon: 'settlement' },
  { to: '/treasury', name: 'Treasury', icon: 'treasury' },
  { to: '/alerts', name: 'Alerts', icon: 'alerts' },
  { to: '/settings', name: 'Settings', icon: 'settings' },
];

/** What surrounds every page: where one is, whether it is live, who one is. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const fleet = useLive<Fleet>('/v1/fleet', ['chain', 'node']);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <aside className="side">
        <div className="brand">
          <img src="/icon.svg" alt="" width="30" height="30" />
          <span>Seedfleet</span>
          {fleet.value !== undefined && <span className="network">{fleet.value.network}</span>}
        </div>
        <Navigation />
        <Account />
      </aside>
      <main id="content" tabIndex={-1}>
        <Disconnected />
        {children}
      </main>
    </div>
  );
}

function Navigation() {
  const { path } = useRouter();
  const alerts = useLive<Alerts>('/v1/alerts', ['alert', 'channel', 'node', 'chain', 'webhook']);
  const waiting = alerts.value?.items.length ?? 0;
  const critical = alerts.value?.items.some(({ severity }) => severity === 'critical') === true;
  const list = useInView(path);
  return (
    <nav aria-label="Pages" ref={list}>
      <ul>
        {PLACES.map(({ to, name, icon }) => (
          <li key={to}>
            <Link
              to={to}
              className="place"
              current={to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)}
            >
              {ICONS[icon]}
              <span>{name}</span>
              {icon === 'alerts' && waiting > 0 && (
                <span className={critical ? 'badge bad' : 'badge'}>
                  {count(waiting)} <span className="for-screen-readers">open</span>
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Account() {
  const { name, signOut } = useSession();
  const [theme, setTheme] = useState(storedTheme);
  useEffect(() => applyTheme(theme), [theme]);
  return (
    <div className="account">
      <Liveness />
      <p className="muted who" title="the key that this session was opened with">
        {name}
      </p>
      <div className="buttons">
        <button type="button" className="quiet" onClick={() => setTheme(nextTheme)} title="Colours">
          {theme === 'system' ? 'Auto' : theme === 'light' ? 'Light' : 'Dark'}
        </button>
        <button type="button" className="quiet" onClick={signOut}>
          Sign out
        </button>
      </div>
    </div>
  );
}

/** Says once for the whole page that its figures are not of now. */
function Disconnected() {
  const { connection } = useLiveConnection();
  return (
    <div role="status" className="disconnected">
      {connection === 'broken' && (
        <p className="banner critical">
          <strong>The fleet does not answer.</strong> What is shown may be old; this page goes on by itself when it
          does.
        </p>
      )}
    </div>
  );
}

function Liveness() {
  const { connection } = useLiveConnection();
  return (
    <p className={`live ${connection}`} role="status">
      <i aria-hidden="true" />{' '}
      {connection === 'live' ? 'live' : connection === 'broken' ? 'no connection' : 'connecting'}
    </p>
  );
}
