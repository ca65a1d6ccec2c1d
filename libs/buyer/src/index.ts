export {
  DEFAULT_MAX_FEE_PER_KB_SAT,
  DEFAULT_MAX_LOCK_UNITS,
  download,
  reportDone,
  startDownload,
  type DownloadResult,
  type RunningDownload,
} from './download/download.js';
export { PieceWatch } from './download/piece-watch.js';
export { readTorrent, torrentOf } from './download/torrent-file.js';
export * from './events.js';
export * from './failure.js';
export { BUYER_FAULT_POINTS, type BuyerFaultPoint } from './fault-points.js';
export * from './options.js';
export type { RefundRound } from './refund/refund.js';
export { WATCH_EVERY_MS, watchRefunds } from './refund/watch.js';
export type { BookedDeposit } from './wallet/booking.js';
export type { ContractOutput, ContractRecord } from './wallet/contract-records.js';
export type { DepositState } from './wallet/deposit-state.js';
export { connectNode, type NodeLink } from './wallet/node-link.js';
export { createSeed, hasSeed, needsPassphrase, readWords, type SeedProtection } from './wallet/seed.js';
export { Wallet } from './wallet/wallet.js';
export { walletBalance, type LockedDeposit, type WalletBalance } from './wallet/balance.js';
export { walletHistory, type HistoryEntry } from './wallet/history.js';
export { restoreFromChain, type RestoreResult } from './wallet/restore.js';
export { send, type SendOrder } from './wallet/send.js';
export type { SendRecord } from './wallet/send-records.js';
export { StreamServer, type StreamOptions } from './stream/server.js';
export { parseMagnet, type Magnet } from './finding/magnet.js';
export { followLink, type LinkedTorrent } from './finding/market-link.js';
export { DHT_BOOTSTRAP, searchPeers, type PeerSearchOptions, type Sought } from './finding/peer-search.js';
export { resolveMagnet } from './finding/metadata.js';
