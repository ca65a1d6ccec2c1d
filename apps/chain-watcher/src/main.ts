import { runService } from '@seedfleet/service-kit';
import { ChainWatcherModule } from './chain-watcher.module.js';
import { chainWatcherConfig } from './config.js';

await runService({
  name: 'chain-watcher',
  config: chainWatcherConfig,
  module: (parts) => ChainWatcherModule.with(parts),
});
