import { useState } from 'react';
import { send, wordsOf } from '../../api/client';
import type { Series, TorrentDetail } from '../../api/types';
import { useLive } from '../../api/use-live';
import { Card } from '../../components/card';
import { DataTable, type Column } from '../../components/data-table';
import { PageHead } from '../../components/page-head';
import { Pill } from '../../components/pill';
import { RevenueChart } from '../../components/chart';
import { Split } from '../../components/split';
import { Labels } from '../../components/labels';
import { bytes, count, plainName } from '../../format';
import { Link } from '../../router';
import { useMay } from '../../session/session';
import { SaleState } from '../torrents';
import { Demand } from './demand';
import { Explain } from './explain';
import { Manage } from './manage';
import { PriceEditor } from './price-editor';

/** One torrent: what it earned and why, its price, and where it is sold. */
export function TorrentPage({ infoHash }: { readonly infoHash: string }) {
  const torrent = useLive<TorrentDetail>(`/v1/torrents/${infoHash}`, ['torrent', 'offer', 'pulse']);
  const series = useLive<Series>(`/v1/overview/series?period=day&count=30&infoHash=${infoHash}`, ['channel', 'pulse']);
  const value = torrent.value;
  if (value === undefined) {
    return (
      <>
        <PageHead title="Torrent" />
        <p className={torrent.failure === undefined ? 'muted' : 'problem'}>
          {torrent.failure === undefined ? 'Asking the fleet…' : wordsOf(torrent.failure)}
        </p>
        <p>
          <Link to="/torrents">All torrents</Link>
        </p>
      </>
    );
  }
  return (
    <>
      <PageHead
        title={plainName(value.name)}
        lead={
          <>
            <code>{value.infoHash}</code> · {bytes(value.totalBytes)} · {count(value.pieceCount)} pieces of{' '}
            {bytes(value.pieceLengthBytes)} · tier {value.tier}
            <Labels labels={value.labels} most={20} />
          </>
        }
      >
        <SaleState sale={value.sale} />
        <Switch torrent={value} onChanged={torrent.reload} />
      </PageHead>
      <Explain infoHash={infoHash} ever={series.value?.total} />
      <div className="two">
        <div className="column">
          <Card title="Last 30 days" failure={series.failure}>
            {series.value === undefined ? (
              <p className="muted chart-place">Asking the fleet…</p>
            ) : (
              <>
                <RevenueChart series={series.value} label={`Revenue of ${plainName(value.name)}`} />
                <Split of={series.value.total} />
              </>
            )}
          </Card>
          <Demand infoHash={infoHash} />
        </div>
        <div className="column">
          <PriceEditor infoHash={infoHash} />
          <Manage torrent={value} etag={torrent.etag} onChanged={torrent.reload} />
        </div>
      </div>
      <Card title="Where it is sold">
        <DataTable
          caption="Nodes of this torrent"
          columns={NODES}
          rows={value.nodes}
          keyOf={({ nodeId }) => nodeId}
          empty="No node has taken it up yet."
        />
        <p className="muted">
          Nodes find the content at <code>{value.contentPath}</code>.{' '}
          <Link to={`/channels?infoHash=${infoHash}`}>Channels of this torrent</Link>
        </p>
      </Card>
    </>
  );
}

/** Pauses and resumes the sale; what was removed comes back. */
function Switch({ torrent, onChanged }: { readonly torrent: TorrentDetail; readonly onChanged: () => void }) {
  const may = useMay('operate');
  const [problem, setProblem] = useState<string>();
  if (!may) return null;
  const next = torrent.state === 'active' ? 'paused' : 'active';
  const change = async (): Promise<void> => {
    const result = await send('PATCH', `/v1/torrents/${torrent.infoHash}`, { state: next });
    setProblem(result.ok ? undefined : wordsOf(result.failure));
    onChanged();
  };
  return (
    <>
      <button type="button" onClick={() => void change()}>
        {torrent.state === 'removed' ? 'Sell again' : next === 'paused' ? 'Pause' : 'Resume'}
      </button>
      {problem !== undefined && (
        <span role="alert" className="problem">
          {problem}
        </span>
      )}
    </>
  );
}

const NODES: readonly Column<TorrentDetail['nodes'][number]>[] = [
  { title: 'Node', cell: ({ nodeId }) => <strong>{nodeId}</strong> },
  { title: 'Address', cell: ({ peerAddress }) => <code>{peerAddress}</code> },
  { title: 'State', cell: ({ state, nodeAlive }) => <Pill state={nodeAlive ? state : 'silent'} /> },
  { title: 'Verified', right: true, cell: ({ progress }) => `${Math.floor(progress * 100)} %` },
  { title: 'Detail', cell: ({ detail }) => detail },
];
