export * from './broker-durability.js';
export * from './config.js';
export { FAULT_POINTS, faultPoint, type FaultPoint } from './fault-points.js';
export * from './health.js';
export * from './logging.js';
export * from './metrics.js';
export { literalAddress, mayCall } from './network/address-policy.js';
export { networks } from './network/networks.js';
export { OperationsModule } from './operations.module.js';
export {
  runLoneService,
  runService,
  type LoneDefinition,
  type LoneParts,
  type ServiceDefinition,
  type ServiceParts,
  type Standby,
} from './service.js';
export { LOGGER } from './tokens.js';
