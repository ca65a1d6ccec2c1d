import { PageHead } from '../../components/page-head';
import { useInView } from '../../components/in-view';
import { Link } from '../../router';
import { AuditCard } from './audit';
import { KeysCard } from './keys';
import { RatesCards } from './rates';
import { WebhooksCard } from './webhooks';

const PARTS = [
  ['keys', 'API keys'],
  ['rates', 'Tiers and costs'],
  ['webhooks', 'Webhooks'],
  ['audit', 'Audit log'],
] as const;

/** Who may do what, who is told, and who did what. */
export function SettingsPage({ part }: { readonly part: string }) {
  const tabs = useInView(part);
  const open = part === '' ? 'keys' : part;
  return (
    <>
      <PageHead
        title="Settings"
        lead="Who may do what, what prices are worked out with, who is told, and who did it."
      />
      <nav aria-label="Settings" className="tabs" ref={tabs}>
        {PARTS.map(([id, title]) => (
          <Link key={id} to={`/settings/${id}`} current={id === open}>
            {title}
          </Link>
        ))}
      </nav>
      {open === 'keys' && <KeysCard />}
      {open === 'rates' && <RatesCards />}
      {open === 'webhooks' && <WebhooksCard />}
      {open === 'audit' && <AuditCard />}
    </>
  );
}
