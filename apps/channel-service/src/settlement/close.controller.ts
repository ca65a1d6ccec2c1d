import { Controller, Inject } from '@nestjs/common';
import { channelClose, Handles } from '@seedfleet/bus';
import { isFinal, mayServe } from '@seedfleet/channel-lifecycle';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { LOGGER, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { findChannel } from '../channels/channel-repository.js';
import { moveChannel } from '../channels/transition.js';
import { refuseVerdict } from '../funding/verdicts.js';
import { DATABASE } from '../tokens.js';
import { AWAITED_PAYMENT_SECONDS } from './awaited-payment.js';

type CloseRequest = z.output<typeof channelClose.request>;
type CloseReply = z.output<typeof channelClose.reply>;

/** Payments and news of the chain change a channel all the time; who is still too late after so many asks again. */
const ATTEMPTS = 20;

/** Ends an open channel when a person says so, exactly as its deadline would. */
@Controller()
export class CloseController {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Handles(channelClose)
  async close({ channelId, why, closedBy }: CloseRequest): Promise<CloseReply> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const row = await findChannel(this.prisma, channelId);
      if (row === null) return { closed: false, code: 'channel-unknown' };
      const { state } = row;
      if (isFinal(state)) return { closed: false, code: 'channel-over' };
      // Nothing was served, nothing is to be settled: it lapses by itself.
      if (state === 'offered' || state === 'joined') return { closed: false, code: 'channel-unfunded' };
      if (!mayServe(state)) return { closed: true, state };
      const moved = await moveChannel(this.prisma, {
        channel: row,
        to: 'closing',
        reason: 'operator',
        data: { k: row.k.toString(), by: closedBy, why },
        nextActionInSeconds: AWAITED_PAYMENT_SECONDS,
        set: [Prisma.sql`"closeReason" = 'operator'`],
        verdict: refuseVerdict(row, 'operator', ''),
      });
      if (moved === null) continue;
      this.logger.warn({ channelId, nodeId: row.nodeId, why, closedBy, reason: 'operator' }, 'channel closed');
      return { closed: true, state: moved.state };
    }
    throw new Error(`channel ${channelId} changes faster than it can be closed`);
  }
}
