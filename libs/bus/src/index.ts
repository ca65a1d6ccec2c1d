export * from './chain.js';
export * from './channels.js';
export * from './codecs.js';
export * from './contract.js';
export * from './fleet.js';
