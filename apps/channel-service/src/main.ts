import { runService } from '@seedfleet/service-kit';
import { ChannelServiceModule } from './channel-service.module.js';
import { channelServiceConfig } from './config.js';

await runService({
  name: 'channel-service',
  config: channelServiceConfig,
  module: (parts) => ChannelServiceModule.with(parts),
});
