import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { Counter, faultPoint, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { ChainClient, type BroadcastReply } from '../chain/chain-client.js';
import type { BusResult } from '@seedfleet/bus';
import { ChainNews } from '../chain/chain-news.js';
import { findChannel, settlementLabel } from '../channels/channel-repository.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { DATABASE } from '../tokens.js';
import { treasuryProgress } from './treasury-progress.js';
import {
  childLabel,
  claimDueTreasury,
  lookAgainAtTreasury,
  moveTreasury,
  treasuryLabel,
  type TreasuryMove,
} from './treasury-repository.js';
import type { TreasuryRow } from './treasury-row.js';

const POLL_MS = 2_000;
const BATCH = 16;
const UNREACHABLE_SECONDS = 5;

/** Follows every transaction of the treasury to burial, and hands over again what the chain does not know. */
@Injectable()
export class TreasuryFollower implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly moves: Counter<'kind' | 'state' | 'reason'>;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainNews) private readonly news: ChainNews,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.moves = new Counter({
      name: 'seedfleet_treasury_moves_total',
      help: 'Transactions of the treasury (child, split, sweep) by state entered and reason',
      labelNames: ['kind', 'state', 'reason'],
      registers: [registry],
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.kick(), POLL_MS);
    this.news.onWake(() => this.kick());
    this.kick();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.running;
  }

  kick(): void {
    if (this.stopped) return;
    this.running ??= this.run()
      .catch((failure: unknown) => {
        this.logger.error({ failure: String(failure) }, 'transactions of the treasury can not be followed');
      })
      .finally(() => {
        this.running = undefined;
      });
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const rows = await claimDueTreasury(this.prisma, BATCH);
      if (rows.length === 0) return;
      for (const row of rows) await this.follow(row);
    }
  }

  private async follow(row: TreasuryRow): Promise<void> {
    const channel = row.channelId === null ? null : await findChannel(this.prisma, row.channelId);
    const reply = await this.chain.broadcastState(row.txid);
    if (!reply.ok) return lookAgainAtTreasury(this.prisma, row, UNREACHABLE_SECONDS);
    const isGiven = row.state === 'replaced' || row.state === 'void';
    if (reply.value === null) {
      if (!isGiven) await this.handOver(row, channel);
      return lookAgainAtTreasury(this.prisma, row, isGiven ? null : UNREACHABLE_SECONDS);
    }
    const progress = treasuryProgress(row, reply.value);
    const move = isHopeless(progress, channel)
      ? { ...progress, state: 'void' as const, reason: 'settlement-gone' }
      : progress;
    if ((move.state === 'replaced' || move.state === 'void') && reply.value.state !== 'withdrawn') {
      await this.chain.withdraw(row.txid);
    }
    await this.move(row, move);
  }

  private async move(row: TreasuryRow, move: TreasuryMove): Promise<void> {
    const { txid, kind, channelId } = row;
    const same = row.state === move.state && row.stateReason === move.reason;
    if (same && row.confirmations === move.confirmations && row.height === move.height) {
      return lookAgainAtTreasury(this.prisma, row, move.nextLookSeconds);
    }
    faultPoint('settler.treasury.before-store');
    if (!(await moveTreasury(this.prisma, row, move))) return;
    faultPoint('settler.treasury.after-store');
    if (same) return;
    this.moves.inc({ kind, state: move.state, reason: move.reason });
    this.logger.info({ txid, kind, channelId, from: row.state, to: move.state, reason: move.reason }, 'treasury moved');
  }

  /** A child goes with the settlement that it pays for. */
  private async handOver(row: TreasuryRow, channel: ChannelRow | null): Promise<BusResult<BroadcastReply> | null> {
    if (row.kind !== 'child') return this.chain.broadcast(row.txid, row.raw, treasuryLabel(row.kind));
    if (channel === null || channel.settlementTxid === null || channel.settlementRaw === null) return null;
    return this.chain.broadcastChild(
      { txid: row.txid, raw: row.raw, label: childLabel(channel.id) },
      { txid: channel.settlementTxid, raw: channel.settlementRaw, label: settlementLabel(channel.id) },
      row.replaces,
    );
  }
}

/** The settlement that a child spends from can't come any more, or another transaction was mined in its place. */
function isHopeless(move: TreasuryMove, channel: ChannelRow | null): boolean {
  const isOver =
    channel?.state === 'lost' || channel?.state === 'nothing-owed' || typeof channel?.minedTxid === 'string';
  return isOver && move.state !== 'confirmed' && move.state !== 'buried';
}
