export * from './fleet-map.js';
export * from './replicas.js';
export { placeTorrent, type PlacedTorrent, type PlacementDecision, type Shortage } from './place.js';
