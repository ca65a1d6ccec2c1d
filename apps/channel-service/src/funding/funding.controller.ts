import { Controller, Inject } from '@nestjs/common';
import { channelFund, Handles } from '@seedfleet/bus';
import type { FundingVerdict } from '../channels/transition.js';
import { FundingService } from './funding.service.js';
import type { FundRequest } from './ready.js';

@Controller()
export class FundingController {
  constructor(@Inject(FundingService) private readonly funding: FundingService) {}

  @Handles(channelFund)
  fund(request: FundRequest): Promise<FundingVerdict> {
    return this.funding.fund(request);
  }
}
