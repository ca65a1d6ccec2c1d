import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { HealthRegistry } from './health.js';
import { Registry } from './metrics.js';

/** What operators' tools read of every service. */
@Controller()
export class OperationsController {
  constructor(
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(Registry) private readonly registry: Registry,
  ) {}

  /** 200 when the service can do its work, else 503, with the state of each check. */
  @Get('health')
  async getHealth(@Res() response: Response): Promise<void> {
    const report = await this.health.report();
    response.status(report.status === 'ok' ? 200 : 503).json(report);
  }

  /** Prometheus text format. */
  @Get('metrics')
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  getMetrics(): Promise<string> {
    return this.registry.metrics();
  }
}
