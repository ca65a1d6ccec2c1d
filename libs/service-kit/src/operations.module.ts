import { Module, type DynamicModule } from '@nestjs/common';
import { Bus } from '@seedfleet/bus';
import { HealthRegistry } from './health.js';
import { LOGGER } from './tokens.js';
import type { Logger } from './logging.js';
import { Registry } from './metrics.js';
import { OperationsController } from './operations.controller.js';

/** /health, /metrics, the logger and, where there is one from the start, the bus, for every module of a service. */
@Module({})
export class OperationsModule {
  static with(parts: { logger: Logger; registry: Registry; health: HealthRegistry; bus?: Bus }): DynamicModule {
    return {
      module: OperationsModule,
      global: true,
      controllers: [OperationsController],
      providers: [
        { provide: LOGGER, useValue: parts.logger },
        { provide: Registry, useValue: parts.registry },
        { provide: HealthRegistry, useValue: parts.health },
        ...(parts.bus === undefined ? [] : [{ provide: Bus, useValue: parts.bus }]),
      ],
      exports: [LOGGER, Registry, HealthRegistry, ...(parts.bus === undefined ? [] : [Bus])],
    };
  }
}
