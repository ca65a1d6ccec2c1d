export { chainWatcherConfig, type ChainWatcherConfig } from './config.js';
export { ChainWatcherModule } from './chain-watcher.module.js';
