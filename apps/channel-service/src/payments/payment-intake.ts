import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import type { Ecdsa, Network } from '@seedfleet/payment-channel';
import { faultPoint, LOGGER, type Logger } from '@seedfleet/service-kit';
import { DATABASE, ECDSA, NETWORK } from '../tokens.js';
import { SettlementWake } from '../settlement/settlement-wake.js';
import { collectEntries, type CollectedEntries, type PaymentMessage } from './entries.js';
import { judgeEntries, type ChannelSnapshot, type ChannelUpdate, type Judgement } from './judge.js';
import { PaymentMetrics } from './payment-metrics.js';
import { storeBatch, type StoredBatch, type Watermark } from './payment-repository.js';
import { Snapshots } from './snapshots.js';

/** Bad entries of one batch that are kept for a person to look at, and that are logged; all are counted. */
const MAX_PARKED = 200;
const MAX_LOGGED = 10;

/** Turns batches of the payment stream into rows. */
@Injectable()
export class PaymentIntake {
  private readonly snapshots: Snapshots;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(NETWORK) network: Network,
    @Inject(ECDSA) private readonly ecdsa: Ecdsa,
    @Inject(SettlementWake) private readonly settlement: SettlementWake,
    @Inject(PaymentMetrics) private readonly metrics: PaymentMetrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.snapshots = new Snapshots(prisma, network, ecdsa, logger);
  }

  /**
   * Begins at a watermark read from the database. A failover or restore may have taken commits back together with the
   * watermark: what was known of channels would then make replayed payments look old.
   */
  begin(): void {
    this.snapshots.forgetAll();
  }

  /**
   * Verifies a batch against our own snapshots, commits it with the watermark, and says where the watermark is now.
   * Rejects when the database can't be reached; nothing is stored then and the batch may be given again.
   */
  async take(messages: readonly PaymentMessage[], mark: Watermark): Promise<Watermark> {
    const fresh = messages.filter((message) => BigInt(message.seq) > mark.committedSeq);
    const last = fresh.at(-1);
    if (last === undefined) return mark;
    faultPoint('intake.batch.before-verify');
    const stopTimer = this.metrics.batchSeconds.startTimer();
    const collected = collectEntries(fresh);
    const snapshots = await this.snapshotsOf(collected);
    const judgement = await judgeEntries(collected, snapshots, this.ecdsa, () => nextTurn());
    const next = { ...mark, committedSeq: BigInt(last.seq) };
    faultPoint('intake.batch.before-commit');
    const kept = { ...judgement, parked: judgement.parked.slice(0, MAX_PARKED) };
    const stored = await storeBatch(this.prisma, mark, next, kept);
    faultPoint('intake.batch.after-commit');
    this.remember(judgement.updates, stored);
    this.metrics.entries.inc(collected.entryCount);
    this.metrics.verified.inc(judgement.verifications);
    this.report(judgement);
    stopTimer();
    return next;
  }

  private report({ parked, forgers }: Judgement): void {
    for (const { code } of parked) this.metrics.parked.inc({ code });
    for (const { code, nodeId, channelId, k } of parked.slice(0, MAX_LOGGED)) {
      this.logger.warn({ code, nodeId, channelId, k, inBatch: parked.length }, 'payment entry parked');
    }
    for (const [nodeId, code] of forgers) this.logger.error({ nodeId, code }, 'node quarantined');
  }

  private snapshotsOf(collected: CollectedEntries): Promise<Map<string, ChannelSnapshot>> {
    const ids = new Set(collected.payments.keys());
    for (const end of collected.ends) ids.add(end.channelId);
    return this.snapshots.of([...ids]);
  }

  private remember(updates: readonly ChannelUpdate[], { advanced, others }: StoredBatch): void {
    const apart = new Set(others.map(({ channelId }) => channelId));
    // Where one has no row any more nobody knows which: they are read again when next asked for.
    const isKnown = advanced + others.length === updates.length;
    for (const { channelId, payment } of updates) {
      if (apart.has(channelId)) continue;
      if (isKnown && payment !== null) this.snapshots.advance(channelId, payment.k);
      else this.snapshots.forget(channelId);
    }
    this.metrics.committed.inc(advanced);
    let closed = 0;
    for (const update of others) {
      if (update.k > update.oldK) {
        this.metrics.committed.inc();
        this.snapshots.advance(update.channelId, Number(update.k));
      }
      if (!update.closed) continue;
      closed += 1;
      this.snapshots.forget(update.channelId);
      this.logger.info(
        { channelId: update.channelId, k: update.k.toString(), state: update.state },
        'channel closed by its node',
      );
    }
    if (closed === 0) return;
    this.metrics.ends.inc(closed);
    faultPoint('intake.end.before-wake');
    this.settlement.wake();
    faultPoint('intake.end.after-wake');
  }
}
