import { Controller, Inject } from '@nestjs/common';
import { chainGetStatus, Handles } from '@seedfleet/bus';
import { ChainStatus, type Status } from './chain-status.js';

@Controller()
export class StatusController {
  constructor(@Inject(ChainStatus) private readonly status: ChainStatus) {}

  @Handles(chainGetStatus)
  getStatus(): Status {
    const status = this.status.current();
    if (!status) throw new Error('the chain has not been read lately');
    return status;
  }
}
