import { Controller, Inject } from '@nestjs/common';
import { channelOpen, Handles } from '@seedfleet/bus';
import type { OpenReply, OpenRequest } from './join-gate.js';
import { OpeningService } from './opening.service.js';

@Controller()
export class OpeningController {
  constructor(@Inject(OpeningService) private readonly opening: OpeningService) {}

  @Handles(channelOpen)
  open(request: OpenRequest): Promise<OpenReply> {
    return this.opening.open(request);
  }
}
