import { runService } from '@seedfleet/service-kit';
import { ChannelServiceModule } from './channel-service.module.js';
import { channelServiceConfig } from './config.js';
import { signerConfig } from './signing/config.js';
import { SignerModule } from './signing/signer.module.js';

// The signer has the seed and nothing else: no database, and nothing of the other roles.
if (process.env['ROLE'] === 'signer') {
  await runService({ name: 'signer', config: signerConfig, module: (parts) => SignerModule.with(parts) });
} else {
  await runService({
    name: 'channel-service',
    config: channelServiceConfig,
    module: (parts) => ChannelServiceModule.with(parts),
  });
}
