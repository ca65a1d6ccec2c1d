export * from './broker-users.js';
export * from './bus.js';
export * from './chain.js';
export * from './channels.js';
export * from './codecs.js';
export * from './contract.js';
export * from './durability.js';
export * from './fleet.js';
export * from './orders.js';
export * from './sale-id.js';
export * from './signer.js';
export * from './treasury.js';
export { FleetNatsServer, Handles } from './nest-server.js';
export { PARKED } from './parking.js';
export * from './permissions.js';
export {
  consumeStream,
  ensureStream,
  streamHead,
  streamName,
  StreamRefused,
  UnprocessableMessage,
  type ConsumeOptions,
  type StreamConsumer,
  type StreamHead,
  type StreamMessage,
} from './streams.js';
