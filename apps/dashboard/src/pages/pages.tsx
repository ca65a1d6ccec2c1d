import type { ReactNode } from 'react';
import { PageHead } from '../components/page-head';
import { Link, useRouter } from '../router';
import { AddPage } from './add/add';
import { AlertsPage } from './alerts';
import { BulkPage } from './bulk/bulk';
import { ChannelPage } from './channel';
import { ChannelsPage } from './channels';
import { ExplainPage } from './explain/explain-page';
import { NodesPage } from './nodes';
import { OverviewPage } from './overview';
import { RevenuePage } from './revenue';
import { SettingsPage } from './settings/settings';
import { SettlementPage } from './settlement';
import { TorrentPage } from './torrent/torrent';
import { TorrentsPage } from './torrents';
import { TreasuryPage } from './treasury';

const ROUTES: readonly { readonly path: RegExp; readonly page: (part: string) => ReactNode }[] = [
  { path: /^\/$/, page: () => <OverviewPage /> },
  { path: /^\/revenue$/, page: () => <RevenuePage /> },
  { path: /^\/revenue\/explain$/, page: () => <ExplainPage /> },
  { path: /^\/torrents\/add$/, page: () => <AddPage /> },
  { path: /^\/torrents\/prices$/, page: () => <BulkPage /> },
  { path: /^\/torrents$/, page: () => <TorrentsPage /> },
  { path: /^\/torrents\/([0-9a-f]{40})$/, page: (infoHash) => <TorrentPage key={infoHash} infoHash={infoHash} /> },
  { path: /^\/channels$/, page: () => <ChannelsPage /> },
  { path: /^\/channels\/([0-9a-f-]{36})$/, page: (id) => <ChannelPage key={id} id={id} /> },
  { path: /^\/nodes$/, page: () => <NodesPage /> },
  { path: /^\/settlement$/, page: () => <SettlementPage /> },
  { path: /^\/treasury$/, page: () => <TreasuryPage /> },
  { path: /^\/alerts$/, page: () => <AlertsPage /> },
  { path: /^\/settings(?:\/(keys|rates|webhooks|audit))?$/, page: (part) => <SettingsPage part={part} /> },
];

/** The page of the address. */
export function Pages() {
  const { path } = useRouter();
  for (const route of ROUTES) {
    const match = route.path.exec(path);
    if (match !== null) return route.page(match[1] ?? '');
  }
  return (
    <>
      <PageHead title="No such page" />
      <p>
        <Link to="/">Back to the overview</Link>
      </p>
    </>
  );
}
