import { runLoneService, runService } from '@seedfleet/service-kit';
import { ChainWatcherModule } from './chain-watcher.module.js';
import { chainWatcherConfig } from './config.js';
import { Turn } from './standby/turn.js';
import { TowerModule } from './tower/tower.module.js';

const config = chainWatcherConfig;

// The tower has to start and to work when nothing of the fleet is there any more.
if (process.env['ROLE'] === 'tower') {
  await runLoneService({ name: 'tower', config, module: (parts) => TowerModule.with(parts) });
} else {
  await runService({
    name: 'chain-watcher',
    config,
    module: (parts) => ChainWatcherModule.with(parts),
    // Two may run: one works, the other stands by.
    standby: (app) => app.get(Turn),
  });
}
