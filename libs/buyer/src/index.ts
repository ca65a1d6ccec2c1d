export { download, readTorrent } from './download/download.js';
export * from './events.js';
export * from './failure.js';
export * from './options.js';
export { Refunds } from './refund/refund.js';
export { ContractRecords } from './wallet/contract-records.js';
export { WalletKeys } from './wallet/keys.js';
export { connectNode, type NodeLink } from './wallet/node-link.js';
