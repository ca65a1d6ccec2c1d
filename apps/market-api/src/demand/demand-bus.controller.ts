import { Controller } from '@nestjs/common';
import { demandReport, Handles } from '@seedfleet/bus';
import { DemandRepository, type DemandReport } from './demand.repository.js';

/** What nodes tell of buyers. */
@Controller()
export class DemandBusController {
  constructor(private readonly demand: DemandRepository) {}

  @Handles(demandReport)
  async report(report: DemandReport): Promise<Record<string, never>> {
    await this.demand.add(report);
    return {};
  }
}
