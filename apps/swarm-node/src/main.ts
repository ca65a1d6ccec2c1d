import { paymentStream } from '@seedfleet/bus';
import { checkBrokerDurability, runService } from '@seedfleet/service-kit';
import { drainMs, swarmNodeConfig } from './config.js';
import { SwarmNode } from './node.js';
import { SwarmNodeModule } from './swarm-node.module.js';

/** Beyond draining: the last payments, and a moment to close. */
const STOP_SLACK_MS = 20_000;

await runService({
  name: 'swarm-node',
  config: swarmNodeConfig,
  module: async (parts) => {
    await checkBrokerDurability(parts, paymentStream);
    return SwarmNodeModule.with(await SwarmNode.open(parts));
  },
  stopTimeoutMs: (config) => drainMs(config) + STOP_SLACK_MS,
  started: (app) => {
    const node = app.get(SwarmNode);
    node.start();
    return Promise.resolve({ peerAddress: node.peerAddress });
  },
});
