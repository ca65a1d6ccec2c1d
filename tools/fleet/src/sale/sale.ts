import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FleetError } from '../errors.js';
import type { RunningFleet } from '../fleet.js';
import { callRpc } from '../providers/bitcoin-rpc.js';
import type { RunStep } from '../servers.js';
import { fileDigest, leavesOfGrass, type Specimen } from './content.js';
import { MarketClient, type MarketChannel, type MarketRevenue, type MarketTorrent } from './market-client.js';
import { purchase, type Purchase } from './purchase.js';
import type { SaleReport } from './report.js';
import { differs, outputValueSat, settlementDifferences } from './settlement-check.js';
import { until } from './wait.js';

/** A settlement is final to everybody after this many confirmations. */
const BURIAL_CONFIRMATIONS = 6;
const ON_SALE_MS = 120_000;
const SETTLED_MS = 180_000;
/** Where others mine, blocks come when they come. */
const OTHERS_MINE_MS = 6 * 3600_000;

/** States of a torrent's sale from which it will not get on sale by waiting. */
const NOT_FOR_SALE = new Set(['declined', 'missing', 'corrupt', 'failed', 'removed', 'paused']);
/** States of a channel from which no settlement will come by waiting. */
const NOT_SETTLING = new Set([
  'settle-rejected',
  'lost',
  'returned',
  'nothing-owed',
  'join-expired',
  'refused',
  'refund-seen',
]);

/** What a sale is made with: a fleet, whoever started it. */
export type SellingFleet = Pick<RunningFleet, 'run' | 'state' | 'supervisor' | 'miner'>;

/** Sells a real book to the leecher, follows the money to burial and compares everything. Throws FleetError. */
export async function runSale(
  fleet: SellingFleet,
  steps: { readonly run: RunStep },
  signal: AbortSignal,
): Promise<SaleReport> {
  const { run } = fleet;
  const specimen = leavesOfGrass();
  const market = new MarketClient(run.marketApi.url, run.marketApi.keyFile, signal);
  const torrent = await steps.run(
    'torrent on sale',
    () => putOnSale(market, specimen, signal),
    ({ name, pieceCount }) => `"${name}", ${pieceCount} pieces`,
  );
  const before = await market.revenue(torrent.infoHash);
  const out = freshFolder(fleet);
  const bought = await steps.run(
    'purchase',
    () => buy(fleet, specimen, out),
    ({ pieces, payments, paidSat, fundingTxid }) =>
      `${pieces} pieces for ${payments} payments, ${paidSat} sat; funding ${fundingTxid}`,
  );
  const settling = await steps.run(
    'settlement',
    () => settlementSent(market, torrent, bought, fleet, signal),
    ({ settlementTxid }) => settlementTxid,
  );
  const buried = await steps.run(
    'burial',
    () => burial(market, torrent, settling.settlementTxid, bought, fleet, signal),
    ({ settlementConfirmations }) => `${settlementConfirmations} confirmations`,
  );
  return steps.run(
    'agreement',
    () => agree({ fleet, market, torrent, before, bought, channel: buried, specimen, out }),
    ({ revenueSat, settlementFeeSat, collectedSat }) =>
      `revenue ${revenueSat} sat − settlement fee ${settlementFeeSat} = collected ${collectedSat} sat`,
  );
}

/** A folder for this purchase alone; the last one's is cleared away. */
function freshFolder({ state }: SellingFleet): string {
  rmSync(state.file('purchase'), { recursive: true, force: true });
  const folder = join(state.folder('purchase'), 'download');
  mkdirSync(folder);
  return folder;
}

async function putOnSale(market: MarketClient, specimen: Specimen, signal: AbortSignal): Promise<MarketTorrent> {
  let torrent = await market.addTorrent(specimen.torrentFile, specimen.contentFile);
  return until(
    'the sale of the torrent',
    async () => {
      torrent = await market.torrent(torrent.infoHash);
      if (NOT_FOR_SALE.has(torrent.sale.state)) {
        const why = `its state is "${torrent.sale.state}": ${torrent.sale.detail}`;
        throw new FleetError('service-refused', 'the torrent is not for sale', why, 'see the logs of the nodes');
      }
      return torrent.sale.state === 'on-sale' ? torrent : undefined;
    },
    {
      timeoutMs: ON_SALE_MS,
      signal,
      last: () => `its state is "${torrent.sale.state}" ${torrent.sale.detail}`,
      todo: 'see the logs of the nodes and of market-api',
    },
  );
}

function buy({ run, state, supervisor }: SellingFleet, specimen: Specimen, outDir: string): Promise<Purchase> {
  const order = {
    torrentFile: specimen.torrentFile,
    outDir,
    walletDir: state.folder('buyer-wallet'),
    peers: run.nodes.map(({ peerAddress }) => peerAddress),
    rpcUrl: run.bitcoin.rpcUrl,
    network: run.network,
  };
  return purchase(order, supervisor);
}

type SettledMarketChannel = MarketChannel & { readonly settlementTxid: string };

function settlementSent(
  market: MarketClient,
  { infoHash }: MarketTorrent,
  { fundingTxid }: Purchase,
  fleet: SellingFleet,
  signal: AbortSignal,
): Promise<SettledMarketChannel> {
  let seen: MarketChannel | undefined;
  return until(
    'the settlement',
    async () => {
      seen = (await market.channels(infoHash)).find((channel) => channel.fundingTxid === fundingTxid);
      if (seen !== undefined && NOT_SETTLING.has(seen.state)) {
        const why = `channel ${seen.id} is in state "${seen.state}": ${seen.stateReason}`;
        throw new FleetError('sale-differs', 'the channel was not settled', why, 'see the log of channel-settler');
      }
      const { settlementTxid } = seen ?? {};
      // The bytes are stored before they are sent: only the node's word counts.
      if (seen === undefined || !settlementTxid || !(await knows(fleet, settlementTxid))) return undefined;
      return { ...seen, settlementTxid };
    },
    {
      timeoutMs: fleet.miner === undefined ? OTHERS_MINE_MS : SETTLED_MS,
      signal,
      last: () => (seen === undefined ? 'no channel has that funding' : `channel ${seen.id} is "${seen.state}"`),
      todo: 'see the logs of channel-settler and chain-watcher',
    },
  );
}

async function knows({ run }: SellingFleet, txid: string): Promise<boolean> {
  return callRpc(run.bitcoin.rpcUrl, 'getrawtransaction', [txid, false]).then(
    () => true,
    () => false,
  );
}

/** Waits until the fleet itself counts the settlement as buried; mines the blocks for it where this tool mines. */
function burial(
  market: MarketClient,
  { infoHash }: MarketTorrent,
  settlementTxid: string,
  { fundingTxid }: Purchase,
  fleet: SellingFleet,
  signal: AbortSignal,
): Promise<MarketChannel> {
  let seen: MarketChannel | undefined;
  return until(
    'the burial of the settlement',
    async () => {
      seen = (await market.channels(infoHash)).find((channel) => channel.fundingTxid === fundingTxid);
      if (seen?.state === 'buried') return seen;
      if (fleet.miner !== undefined) {
        const depth = await confirmationsOf(fleet, settlementTxid);
        if (depth > 0 && depth < BURIAL_CONFIRMATIONS) await fleet.miner.mine(1);
      }
      return undefined;
    },
    {
      timeoutMs: fleet.miner === undefined ? OTHERS_MINE_MS : SETTLED_MS,
      signal,
      last: () => `channel ${seen?.id} is "${seen?.state}" with ${seen?.settlementConfirmations} confirmations`,
      todo: 'see the logs of channel-settler and chain-watcher',
    },
  );
}

async function confirmationsOf({ run }: SellingFleet, txid: string): Promise<number> {
  const found = (await callRpc(run.bitcoin.rpcUrl, 'getrawtransaction', [txid, true])) as { confirmations?: number };
  return found.confirmations ?? 0;
}

interface Evidence {
  readonly fleet: SellingFleet;
  readonly market: MarketClient;
  readonly torrent: MarketTorrent;
  readonly before: MarketRevenue;
  readonly bought: Purchase;
  readonly channel: MarketChannel;
  readonly specimen: Specimen;
  readonly out: string;
}

/** Compares buyer, seller, books and chain; every difference is named. */
async function agree(evidence: Evidence): Promise<SaleReport> {
  const { fleet, market, torrent, before, bought, channel, specimen, out } = evidence;
  const { settlementTxid, fundingVout, fundingValueSat } = channel;
  if (settlementTxid === null || fundingVout === null || fundingValueSat === null) {
    throw disagreement(['the channel is buried but has no settlement or funding']);
  }
  const rpc = (txid: string) =>
    callRpc(fleet.run.bitcoin.rpcUrl, 'getrawtransaction', [txid, false]) as Promise<string>;
  const k = BigInt(bought.payments);
  const revenueSat = k * channel.priceSat;
  const collectedSat = revenueSat - channel.settlementFeeSat;
  const after = await market.revenue(torrent.infoHash);
  const confirmations = await confirmationsOf(fleet, settlementTxid);
  const differences = [
    differs(
      'downloaded data (SHA-256)',
      await fileDigest(join(out, specimen.fileName)),
      await fileDigest(specimen.contentFile),
    ),
    differs('pieces', bought.pieces, torrent.pieceCount),
    differs('payments', bought.payments, torrent.pieceCount),
    differs('satoshi paid by the buyer', BigInt(bought.paidSat), revenueSat),
    differs("payments in the seller's books", channel.k, k),
    differs('funding value', outputValueSat(await rpc(bought.fundingTxid), fundingVout), fundingValueSat),
    ...settlementDifferences(await rpc(settlementTxid), {
      fundingTxid: bought.fundingTxid,
      fundingVout,
      fundingValueSat,
      priceSat: channel.priceSat,
      settlementFeeSat: channel.settlementFeeSat,
      k,
    }).map((difference) => `settlement, ${difference}`),
    differs('revenue by the market API', after.revenueSat - before.revenueSat, revenueSat),
    differs('collected by the market API', after.collectedSat - before.collectedSat, collectedSat),
    confirmations < BURIAL_CONFIRMATIONS ? `settlement has ${confirmations} confirmations` : undefined,
  ].filter((difference) => difference !== undefined);
  if (differences.length > 0) throw disagreement(differences);
  return {
    torrent: torrent.name,
    infoHash: torrent.infoHash,
    pieces: bought.pieces,
    payments: bought.payments,
    priceSat: String(channel.priceSat),
    fundingTxid: bought.fundingTxid,
    settlementTxid,
    confirmations,
    revenueSat: String(revenueSat),
    settlementFeeSat: String(channel.settlementFeeSat),
    collectedSat: String(collectedSat),
  };
}

function disagreement(differences: readonly string[]): FleetError {
  return new FleetError('sale-differs', 'buyer, seller and chain disagree', differences.join('\n'), 'see the logs');
}
