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
    // The broker is asked while the disk is read.
    const [node] = await Promise.all([SwarmNode.open(parts), checkBrokerDurability(parts, paymentStream)]);
    // And the node's torrents are fetched and looked at while the rest of the service comes up.
    node.bringIn();
    return SwarmNodeModule.with(node);
  },
  stopTimeoutMs: (config) => drainMs(config) + STOP_SLACK_MS,
  started: (app) => {
    const node = app.get(SwarmNode);
    node.start();
    return Promise.resolve({ peerAddress: node.peerAddress });
  },
});
