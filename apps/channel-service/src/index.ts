export { ChannelServiceModule } from './channel-service.module.js';
export { channelServiceConfig, type ChannelServiceConfig } from './config.js';
