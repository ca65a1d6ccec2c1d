export * from './broker-durability.js';
export * from './config.js';
export { FAULT_POINTS, faultPoint, type FaultPoint } from './fault-points.js';
export * from './health.js';
export * from './logging.js';
export * from './metrics.js';
export { OperationsModule } from './operations.module.js';
export { runService, type ServiceDefinition, type ServiceParts } from './service.js';
export { LOGGER } from './tokens.js';
