export { SwarmNode } from './node.js';
export { swarmNodeConfig, type SwarmNodeConfig } from './config.js';
