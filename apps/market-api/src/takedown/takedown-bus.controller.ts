import { Controller } from '@nestjs/common';
import { Handles, takenDownAmong, takenDownContent } from '@seedfleet/bus';
import type { z } from 'zod';
import { TakedownContentRepository } from './takedown-content.repository.js';

/** What nodes ask and tell about the content of torrents that were taken down. */
@Controller()
export class TakedownBusController {
  constructor(private readonly content: TakedownContentRepository) {}

  @Handles(takenDownAmong)
  async among({ infoHashes }: z.output<typeof takenDownAmong.request>): Promise<z.output<typeof takenDownAmong.reply>> {
    return { takenDown: await this.content.among(infoHashes) };
  }

  @Handles(takenDownContent)
  async report(report: z.output<typeof takenDownContent.request>): Promise<Record<string, never>> {
    await this.content.note(report);
    return {};
  }
}
