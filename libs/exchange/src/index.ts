/**
 * The paid exchange as pure machines. A host feeds events in and carries effects out, in order:
 *
 * - one `stepConnection` machine per connection: extension layer, observer, seller, and the buyer's wire side;
 * - one `stepBuyerSession` machine per download, which owns its connection machines.
 *
 * A step may change its state in place: the returned state replaces the one given in.
 */
export * from './buyer/session.js';
export * from './buyer/session-status.js';
export type { BuyerSessionState } from './buyer/session-state.js';
export * from './buyer/session-types.js';
export * from './codes.js';
export * from './config.js';
export * from './connection/connection.js';
export * from './connection/status.js';
export type { ConnectionState } from './connection/state.js';
export * from './effects.js';
export * from './events.js';
export { inboundLimitBytes, MAX_CONTROL_PAYLOAD_BYTES } from './limits.js';
export * from './pieces.js';
export * from './terms.js';
