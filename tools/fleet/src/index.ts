export { FleetError, reasonOf, type FleetErrorCode } from './errors.js';
export type {
  BitcoinConnection,
  Connections,
  NatsConnection,
  PostgresConnection,
  UrlConnection,
} from './providers/connections.js';
export { NETWORKS, isRegtest, type Network } from './providers/provider.js';
export { callRpc, RpcError } from './providers/bitcoin-rpc.js';
export { bringTool } from './packages/bring-tool.js';
export type { DebianPackage } from './packages/debian-package.js';
export { natsUrlFor } from './providers/nats-users.js';
export { mine, walletUrl } from './providers/regtest.js';
export {
  plainStep,
  startBitcoin,
  startServers,
  silentConsent,
  type RunningServers,
  type ServerOptions,
} from './servers.js';
export type { ProcessEvent } from './supervise/supervised-process.js';
export { beginFleet, startFleet, type FleetOptions, type FleetStart, type RunningFleet } from './fleet.js';
export {
  backUp,
  hasSeed,
  restoreBackup,
  restoreSeed,
  verifyBackup,
  type BackupSource,
  type RestoreTarget,
} from './backup/backup.js';
export type { BackupManifest } from './backup/manifest.js';
export { loadJsonRows } from './backup/load-rows.js';
export { AutoMiner } from './mining/auto-miner.js';
export { pickPort } from './free-port.js';
export { runSale, type SellingFleet } from './sale/sale.js';
export type { SaleReport } from './sale/report.js';
export { readRun, type RunFile } from './state/run-file.js';
export { rotateCredential } from './rotate.js';
