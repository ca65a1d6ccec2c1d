import { readFile } from 'node:fs/promises';
import { parseMetainfo, type Metainfo } from '@seedfleet/bittorrent';
import { DEFAULT_MAX_OPEN_REQUESTS, DEFAULT_SPEED_TEST_BYTES } from '@seedfleet/exchange';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { pricePerPieceSat } from '@seedfleet/policy';
import { sumSat } from '@seedfleet/wallet';
import type { DownloadOptions } from '../options.js';
import type { Reporter } from '../events.js';
import { BuyerError, ExitCode } from '../failure.js';
import { FundingContracts } from '../wallet/contract-maker.js';
import { WalletCoins } from '../wallet/coins.js';
import { ContractRecords } from '../wallet/contract-records.js';
import { WalletKeys } from '../wallet/keys.js';
import { connectNode } from '../wallet/node-link.js';
import { PieceSink } from './piece-sink.js';
import { Purchase } from './purchase.js';

/** The handshake's `v`. */
const USER_AGENT = 'Seedfleet leecher 0.1';

/** Reads a .torrent file. Throws `BuyerError` with exit code 2 that names what is wrong with it. */
export async function readTorrent(path: string): Promise<Metainfo> {
  const bytes = await readFile(path).catch((failure: NodeJS.ErrnoException) => {
    throw new BuyerError(
      ExitCode.usage,
      'torrent-unreadable',
      `${path} can't be read: ${failure.code ?? failure.message}`,
    );
  });
  const parsed = parseMetainfo(bytes);
  if (parsed.ok) return parsed.value;
  const { code, detail } = parsed.error;
  throw new BuyerError(ExitCode.usage, code, `${path} is no torrent that can be bought: ${code} (${detail})`);
}

/** Buys what is missing of a torrent: data verified, last payment sent. Does not wait for the settlement. */
export async function download(
  options: DownloadOptions,
  metainfo: Metainfo,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const startedMs = performance.now();
  const { pieceCount: pieces, pieceLengthBytes } = metainfo;
  const sink = await PieceSink.open(metainfo, options.outDir);
  const link = await connectNode(options);
  const keys = WalletKeys.open(options.walletDir, link.walletNetwork, link.channelNetwork);
  try {
    const records = new ContractRecords(options.walletDir);
    const coins = new WalletCoins(link, keys, records);
    const spendableSat = sumSat(await coins.spendable()).toString();
    reporter.report({ event: 'wallet', dir: options.walletDir, spendableSat });
    if (sink.had.length > 0) reporter.report({ event: 'resumed', have: sink.had.length, pieces });
    const ecdsa = bestEcdsa();
    const contracts = new FundingContracts({
      link,
      keys,
      coins,
      records,
      ecdsa,
      reporter,
      infoHash: metainfo.infoHash,
      pieces,
      maxFeePerKbSat: options.maxFeePerKbSat,
    });
    const purchase = new Purchase({
      metainfo,
      session: {
        network: link.channelNetwork,
        torrent: { pieces, pieceLengthBytes, totalBytes: metainfo.totalLengthBytes },
        ecdsa,
        terms: {
          maxPrice: options.maxPriceSat ?? pricePerPieceSat({ pieceLengthBytes, pieces }),
          maxLock: options.maxLockUnits,
          minNumberOfSellers: options.sellers,
          maxContractFeePerKb: options.maxFeePerKbSat,
        },
        sellers: options.sellers,
        speedTestBytes: DEFAULT_SPEED_TEST_BYTES,
        maxOpenRequests: DEFAULT_MAX_OPEN_REQUESTS,
        have: sink.had,
      },
      peers: options.peers,
      sink,
      contracts,
      reporter,
      userAgent: USER_AGENT,
      signal,
    });
    try {
      const result = await purchase.run();
      await sink.close();
      reporter.report({
        event: 'done',
        infoHash: metainfo.infoHash,
        pieces,
        bought: result.bought,
        payments: result.payments,
        paidSat: result.paidSat.toString(),
        fundingTxid: contracts.fundingTxid ?? null,
        out: sink.path,
        seconds: (performance.now() - startedMs) / 1_000,
      });
    } finally {
      contracts.close();
    }
  } finally {
    keys.close();
    link.node.close();
  }
}
