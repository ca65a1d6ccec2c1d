import type { Alert, Alerts } from '../api/types';
import { useLive } from '../api/use-live';
import { PageHead } from '../components/page-head';
import { Pill } from '../components/pill';
import { ago, count, words } from '../format';
import { Link } from '../router';

/** Where an operator looks first. */
const PLACES: Readonly<Record<string, (subject: string | null) => string>> = {
  'settlements-refused': () => '/settlement?view=trouble',
  'refunds-seen': () => '/settlement?view=trouble',
  'fundings-missing': () => '/settlement?view=trouble',
  'channels-lost': () => '/settlement?view=trouble',
  'deadlines-passed': () => '/channels?sort=deadline',
  'channels-overdue': () => '/channels?sort=deadline',
  'node-quarantined': (node) => `/channels?nodeId=${encodeURIComponent(node ?? '')}`,
  'payments-parked': (node) => `/channels?nodeId=${encodeURIComponent(node ?? '')}`,
  'node-silent': () => '/nodes',
  'content-troubled': () => '/torrents',
  'webhook-failing': () => '/settings/webhooks',
  'books-differ': () => '/settlement',
};

/** What needs an operator now, worst first. */
export function AlertsPage() {
  const alerts = useLive<Alerts>('/v1/alerts', ['alert', 'channel', 'node', 'chain', 'torrent', 'webhook', 'pulse']);
  const items = alerts.value?.items;
  return (
    <>
      <PageHead title="Alerts" lead="What needs attention now, worst first. An alert ends with its cause." />
      {alerts.failure !== undefined && <p className="problem">The fleet does not answer.</p>}
      {items === undefined ? (
        <p className="muted">Asking the fleet…</p>
      ) : items.length === 0 ? (
        <section className="card calm">
          <h2>All is well</h2>
          <p className="muted">
            Channels are settled in time, books and chain agree, every node is heard of, and all content can be sold.
          </p>
        </section>
      ) : (
        <ul className="alerts">
          {items.map((alert) => (
            <AlertCard key={`${alert.code} ${alert.subject ?? ''}`} alert={alert} />
          ))}
        </ul>
      )}
    </>
  );
}

function AlertCard({ alert }: { readonly alert: Alert }) {
  const { code, severity, title, subject, since, detail } = alert;
  const place = PLACES[code]?.(subject);
  return (
    <li className={`card alert ${severity}`}>
      <div>
        <h2>
          {title} <Pill state={severity} />
        </h2>
        <p className="muted">
          {[
            alert.count > 1 ? `${count(alert.count)} concerned` : '',
            subject === null || code === 'webhook-failing' ? '' : words(subject),
            detail,
            since === null ? '' : `for ${ago(since, new Date().toISOString())}`,
          ]
            .filter((part) => part !== '')
            .join(' · ')}
        </p>
      </div>
      {place !== undefined && <Link to={place}>Look at it</Link>}
    </li>
  );
}
