import { Inject, Injectable } from '@nestjs/common';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { Counter, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import type { ChannelRow } from '../channels/channel-row.js';
import { moveChannel, type ChannelMove } from '../channels/transition.js';
import { DATABASE } from '../tokens.js';

/** Moves of the settler: stored, counted, and written to the log. */
@Injectable()
export class SettlementMoves {
  private readonly moves: Counter<'state' | 'reason'>;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.moves = new Counter({
      name: 'seedfleet_settlement_moves_total',
      help: 'Channels moved by the settler, by state entered and reason',
      labelNames: ['state', 'reason'],
      registers: [registry],
    });
  }

  async move(move: ChannelMove & { readonly channel: ChannelRow }): Promise<ChannelRow | null> {
    const moved = await moveChannel(this.prisma, move);
    if (moved === null) return null;
    const { channel } = move;
    this.moves.inc({ state: moved.state, reason: moved.stateReason });
    this.logger.info(
      {
        channelId: channel.id,
        infoHash: channel.infoHash,
        peer: channel.peerAddress,
        from: channel.state,
        to: moved.state,
        reason: moved.stateReason,
        k: moved.k.toString(),
        settlementTxid: moved.settlementTxid,
      },
      'channel moved',
    );
    return moved;
  }

  /** Ends a channel that has nothing to settle, or nothing any more. */
  async finish(
    row: ChannelRow,
    to: 'nothing-owed' | 'lost',
    reason: string,
    data: Prisma.InputJsonObject = {},
  ): Promise<void> {
    await this.move({ channel: row, to, reason, data: { k: row.k.toString(), ...data }, nextActionInSeconds: null });
  }
}
