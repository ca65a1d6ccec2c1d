import { download, readTorrent, Wallet, type PeerAddress } from '@seedfleet/buyer';

/** Buys a torrent from one seller and says what it cost. */
export async function buy(torrentFile: string, outDir: string, seller: PeerAddress, rpcUrl: string, walletDir: string) {
  const wallet = await Wallet.open({ rpcUrl, cookieFile: undefined, walletDir, network: undefined });
  try {
    const torrent = await readTorrent(torrentFile);
    const reporter = { report: () => undefined };
    const limits = { outDir, peers: [seller], maxTotalSat: 10_000n };
    const { paidSat } = await download(wallet, torrent, limits, reporter, AbortSignal.timeout(60_000));
    return paidSat;
  } finally {
    wallet.close();
  }
}
