import type { Metainfo } from '@seedfleet/bittorrent';
import { DEFAULT_MAX_OPEN_REQUESTS, DEFAULT_SPEED_TEST_BYTES } from '@seedfleet/exchange';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { pricePerPieceSat } from '@seedfleet/policy';
import { sumSat } from '@seedfleet/wallet';
import type { Reporter } from '../events.js';
import { faultPoint } from '../fault-points.js';
import type { DownloadOptions, PeerAddress } from '../options.js';
import { FundingContracts } from '../wallet/contract-maker.js';
import type { Wallet } from '../wallet/wallet.js';
import { PieceSink } from './piece-sink.js';
import type { PieceWatch } from './piece-watch.js';
import { Purchase } from './purchase.js';
import { SELLER_SEARCH_MS } from './seller-search.js';

/** The handshake's `v`. */
const USER_AGENT = 'Seedfleet leecher 0.1';

export const DEFAULT_MAX_LOCK_UNITS = 20;
export const DEFAULT_MAX_FEE_PER_KB_SAT = 1_024n;
/** A working seller sends something every few seconds even on a bad line. */
const DEFAULT_SILENCE_MS = 60_000;
const GIB = 1024n ** 3n;

export interface DownloadResult {
  readonly infoHash: string;
  readonly pieces: number;
  /** Pieces bought in this run. */
  readonly bought: number;
  /** Pieces that ordinary peers gave in this run. */
  readonly free: number;
  readonly payments: number;
  /** Satoshi. */
  readonly paidSat: bigint;
  /** The newest contract; undefined where nothing had to be bought. */
  readonly fundingTxid: string | undefined;
  readonly outDir: string;
  readonly seconds: number;
}

/** A download under way. */
export interface RunningDownload {
  readonly metainfo: Metainfo;
  /** What is on disk by now. */
  readonly pieces: PieceWatch;
  /** Resolves when everything is verified and paid; rejects with a `BuyerError`. Does not wait for settlements. */
  readonly done: Promise<DownloadResult>;
  /** Pieces wanted before all others, most urgent first; replaces the earlier list. */
  prefer(pieces: readonly number[]): void;
  /** Further addresses to dial. */
  addPeers(addresses: readonly PeerAddress[]): void;
}

/** Verifies what is there already, then buys what is missing. */
export async function startDownload(
  wallet: Wallet,
  metainfo: Metainfo,
  options: DownloadOptions,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<RunningDownload> {
  const startedMs = performance.now();
  const { link, keys, records, coins } = wallet;
  const { pieceCount: pieces, pieceLengthBytes } = metainfo;
  const sink = await PieceSink.open(metainfo, options.outDir);
  const spendableSat = sumSat(await coins.spendable()).toString();
  reporter.report({ event: 'wallet', dir: wallet.dir, spendableSat });
  if (sink.had.length > 0) reporter.report({ event: 'resumed', have: sink.had.length, pieces });
  const ecdsa = bestEcdsa();
  const maxFeePerKbSat = options.maxFeePerKbSat ?? DEFAULT_MAX_FEE_PER_KB_SAT;
  const contracts = new FundingContracts({
    link,
    keys,
    coins,
    records,
    ecdsa,
    reporter,
    infoHash: metainfo.infoHash,
    pieceLengthBytes,
    maxFeePerKbSat,
    budgetSat: options.budgetSat,
    maxTotalSat: options.maxTotalSat,
    maxLockedSat: options.maxLockedSat,
    approve: options.approve,
  });
  const sellers = options.sellers ?? 1;
  const purchase = new Purchase({
    metainfo,
    session: {
      network: link.channelNetwork,
      torrent: { pieces, pieceLengthBytes, totalBytes: metainfo.totalLengthBytes },
      ecdsa,
      terms: {
        maxPrice: highestPrice(metainfo, options),
        maxLock: options.maxLockUnits ?? DEFAULT_MAX_LOCK_UNITS,
        minNumberOfSellers: 1,
        maxContractFeePerKb: maxFeePerKbSat,
      },
      sellers,
      speedTestBytes: DEFAULT_SPEED_TEST_BYTES,
      maxOpenRequests: options.maxOpenRequests ?? DEFAULT_MAX_OPEN_REQUESTS,
      have: sink.had,
    },
    sellers,
    peers: options.peers,
    sink,
    contracts,
    reporter,
    userAgent: USER_AGENT,
    encryption: options.encryption ?? 'off',
    takeFree: options.takeFree ?? true,
    allowLocal: link.walletNetwork.startsWith('regtest'),
    searchMs: options.searchMs ?? SELLER_SEARCH_MS,
    silenceMs: options.silenceMs ?? DEFAULT_SILENCE_MS,
    signal,
  });
  const run = async (): Promise<DownloadResult> => {
    try {
      const result = await purchase.run();
      await sink.close();
      faultPoint('download.before-end');
      const seconds = (performance.now() - startedMs) / 1_000;
      const { infoHash } = metainfo;
      return { ...result, infoHash, pieces, fundingTxid: contracts.fundingTxid, outDir: sink.path, seconds };
    } finally {
      contracts.close();
    }
  };
  return {
    metainfo,
    pieces: sink.watch,
    done: run(),
    prefer: (list) => purchase.prefer(list),
    addPeers: (addresses) => purchase.addPeers(addresses),
  };
}

/** Buys what is missing of a torrent and reports the end. */
export async function download(
  wallet: Wallet,
  metainfo: Metainfo,
  options: DownloadOptions,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<DownloadResult> {
  const running = await startDownload(wallet, metainfo, options, reporter, signal);
  const result = await running.done;
  reportDone(result, reporter);
  return result;
}

export function reportDone(result: DownloadResult, reporter: Reporter): void {
  const { infoHash, pieces, bought, free, payments, paidSat, fundingTxid, outDir: out, seconds } = result;
  const money = { payments, paidSat: paidSat.toString(), fundingTxid: fundingTxid ?? null };
  reporter.report({ event: 'done', infoHash, pieces, bought, free, ...money, out, seconds });
}

/** The lower of the ceilings per piece and per GiB; the default buyer's price where neither is set. */
function highestPrice(metainfo: Metainfo, { maxPriceSat, maxPerGibSat }: DownloadOptions): bigint {
  const { pieceLengthBytes, pieceCount: pieces } = metainfo;
  const perGib = maxPerGibSat === undefined ? undefined : (maxPerGibSat * BigInt(pieceLengthBytes)) / GIB;
  const wanted = maxPriceSat ?? (perGib === undefined ? pricePerPieceSat({ pieceLengthBytes, pieces }) : perGib);
  return perGib !== undefined && perGib < wanted ? perGib : wanted;
}
