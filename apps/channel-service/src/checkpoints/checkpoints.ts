import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { maturityMtp } from '@seedfleet/channel-lifecycle';
import type { Network } from '@seedfleet/payment-channel';
import { PrismaClient } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import { Counter, faultPoint, Gauge, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { ChainClient, type OrderStanding } from '../chain/chain-client.js';
import { ChainStatus } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { findChannel, settlementLabel } from '../channels/channel-repository.js';
import { channelParameters } from '../channels/parameters.js';
import { SignerAway } from '../keys/signer-away.js';
import type { Signer } from '../keys/signer.js';
import { DATABASE, NETWORK, POLICY, SIGNER } from '../tokens.js';
import {
  channelsToCheckpoint,
  channelsWithOrders,
  checkpointFiled,
  dropCheckpoints,
  newestCheckpoint,
  storeCheckpoint,
  storeHeldPayment,
  unfiledCheckpoints,
  type UnfiledCheckpoint,
} from './checkpoint-repository.js';
import { HeldOrders } from './held-orders.js';
import { scheduleOf } from './order-schedule.js';
import { Setbacks } from './setbacks.js';

/** How often channels are looked through; a payment is at risk for so long beyond what the policy says. */
const EVERY_MS = 2_000;
/** Per look: some milliseconds each. */
const PER_LOOK = 100;

/** What came of one row. */
type Outcome =
  | 'done'
  /** Too early, or somebody else's word is awaited. */
  | 'later'
  /** chain-watcher does not answer: the other rows wait too. */
  | 'unreachable'
  /** The row, or what was made of it, is not good: a code. */
  | { readonly refused: string };

/**
 * Signs the settlement of what was paid so far while a sale runs, and files it with chain-watcher, to be sent if nobody
 * settles in time. Takes it back once the channel is over.
 */
@Injectable()
export class Checkpoints implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly made: Counter<'result'>;
  private readonly failing: Gauge<'code'>;
  /** By what is done: a channel whose newest checkpoint can't be filed may still get a newer one. */
  private readonly setbacks = { sign: new Setbacks(), file: new Setbacks(), cancel: new Setbacks() };
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isDown = false;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(HeldOrders) private readonly held: HeldOrders,
    @Inject(SIGNER) private readonly signer: Signer,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.made = new Counter({
      name: 'seedfleet_checkpoints_total',
      help: 'Settlements signed while a sale runs, by what became of them: signed, filed, cancelled, or why not',
      labelNames: ['result'],
      registers: [registry],
    });
    this.failing = new Gauge({
      name: 'seedfleet_checkpoints_failing',
      help: 'Channels whose checkpoint could not be signed, filed or taken back when it was last tried, by code',
      labelNames: ['code'],
      registers: [registry],
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private look(): void {
    this.running ??= this.round()
      .then(() => void (this.isDown = false))
      .catch((failure: unknown) => {
        if (!this.isDown) this.logger.error({ failure: String(failure) }, 'checkpoints can not be made');
        this.isDown = true;
      })
      .finally(() => void (this.running = undefined));
  }

  private async round(): Promise<void> {
    const report = this.status.current();
    if (report === null) return;
    const { medianTimePast } = report.tip;
    const { sign, file, cancel } = this.setbacks;
    const { checkpoint } = this.policy;
    const waiting = sign.waiting(Date.now());
    const rows = await channelsToCheckpoint(this.prisma, medianTimePast, checkpoint, waiting, PER_LOOK);
    await this.each(
      sign,
      rows,
      ({ id }) => id,
      (row) => this.sign(row),
    );
    const unfiled = await unfiledCheckpoints(this.prisma, file.waiting(Date.now()), PER_LOOK);
    await this.each(
      file,
      unfiled,
      ({ channelId }) => channelId,
      (row) => this.file(row),
    );
    const over = await channelsWithOrders(this.prisma, cancel.waiting(Date.now()), PER_LOOK);
    await this.each(
      cancel,
      over,
      (channelId) => channelId,
      (channelId) => this.cancel(channelId),
    );
    this.showFailing();
  }

  /** A corrupted row can make anything throw, and must not keep the others waiting. */
  private async each<R>(
    setbacks: Setbacks,
    rows: readonly R[],
    idOf: (row: R) => string,
    work: (row: R) => Promise<Outcome>,
  ): Promise<void> {
    for (const row of rows) {
      const channelId = idOf(row);
      const outcome = await work(row).catch((failure: unknown): Outcome => {
        // The others of this round wait too: they are all due again at the next look.
        if (failure instanceof SignerAway) return 'unreachable';
        this.logger.error({ channelId, failure: String(failure) }, 'work on a checkpoint failed');
        return { refused: 'failed' };
      });
      if (outcome === 'unreachable') return;
      if (outcome === 'done') setbacks.succeeded(channelId);
      else if (outcome === 'later') setbacks.postponed(channelId, Date.now());
      else this.refused(setbacks, channelId, outcome.refused);
    }
  }

  private refused(setbacks: Setbacks, channelId: string, code: string): void {
    this.made.inc({ result: code });
    setbacks.failed(channelId, code, Date.now());
    if (code !== 'failed') this.logger.error({ channelId, code }, 'a checkpoint is refused');
  }

  private showFailing(): void {
    this.failing.reset();
    for (const setbacks of Object.values(this.setbacks)) {
      for (const [code, count] of setbacks.failing(Date.now())) this.failing.inc({ code }, count);
    }
  }

  private async sign(row: ChannelRow): Promise<Outcome> {
    const { id: channelId, k, signature, deadlineMtp, keyEpoch, keyIndex, fundingTxid, fundingVout } = row;
    const channel = channelParameters(row, this.network);
    const isWhole = channel !== null && signature !== null && deadlineMtp !== null;
    if (!isWhole || fundingTxid === null || fundingVout === null) return { refused: 'payment-incomplete' };
    const output = await this.chain.output(fundingTxid, fundingVout);
    if (!output.ok) return output.code === 'internal' ? { refused: 'chain-failed' } : 'unreachable';
    if (!output.value.found || output.value.fundingMtp === null || output.value.spentBy !== null) return 'later';
    const maturity = maturityMtp({ lockUnits: row.lockUnits, fundingPreviousMtp: output.value.fundingMtp });
    if (maturity === undefined) return 'later';
    const path = { epoch: keyEpoch, index: keyIndex };
    const signed = await this.signer.signSettlement({ path, channel, k: Number(k), buyerSignature: signature });
    if (!signed.ok) return { refused: signed.code };
    faultPoint('settler.checkpoint.before-store');
    const version = ((await newestCheckpoint(this.prisma, channelId))?.version ?? 0) + 1;
    const { txid, bytes } = signed.transaction;
    const schedule = scheduleOf(deadlineMtp, maturity, this.policy);
    const checkpoint = { channelId, version, k, txid, raw: new Uint8Array(bytes), schedule, isLast: false };
    await storeCheckpoint(this.prisma, checkpoint);
    faultPoint('settler.checkpoint.after-store');
    this.made.inc({ result: 'signed' });
    return 'done';
  }

  private async file(checkpoint: UnfiledCheckpoint): Promise<Outcome> {
    const { channelId, version, txid, raw, schedule, fundingTxid, fundingVout } = checkpoint;
    if (schedule === null) return { refused: 'row-corrupt' };
    const reply = await this.chain.fileOrder({
      id: channelId,
      version,
      txid,
      raw,
      label: settlementLabel(channelId),
      output: { txid: fundingTxid, vout: fundingVout },
      schedule,
      givesUp: null,
    });
    if (!reply.ok) return reply.code === 'internal' ? { refused: 'order-refused' } : 'unreachable';
    const { fleet, tower } = reply.value;
    const highest = Math.max(fleet?.version ?? 0, tower?.version ?? 0);
    const isOther = tower?.version === version && tower.txid !== txid;
    const isHeld = fleet?.version === version && fleet.txid === txid && highest === version && !isOther;
    const isOver = Boolean(fleet?.sent ?? tower?.sent);
    // This database may be back from an old copy: what others hold may prove more than it knows, and is then taken over.
    const isNews = await this.learn(channelId, txid, reply.value);
    // What is held seems to pay more, and proves nothing: the last settlement takes its place.
    if (fleet?.refused?.version === version && !isOver && !isNews) return { refused: 'held-pays-more' };
    if (!isHeld && !isOver && !isNews) {
      // Somebody holds a higher one. It is filed above that.
      await storeCheckpoint(this.prisma, { ...checkpoint, version: highest + 1, schedule });
      return 'done';
    }
    await checkpointFiled(this.prisma, channelId, version);
    this.made.inc({ result: isOver ? 'sent-already' : 'filed' });
    return 'done';
  }

  /** Takes over a payment that is known to a holder of an order only. False where there is none. */
  private async learn(channelId: string, filedTxid: string, standing: OrderStanding): Promise<boolean> {
    const { fleet, tower } = standing;
    if ([fleet, tower].every((held) => held === null || held.raw === null || held.txid === filedTxid)) return false;
    const row = await findChannel(this.prisma, channelId);
    const channel = row === null ? null : channelParameters(row, this.network);
    if (row === null || channel === null) return false;
    const later = this.held.later(row, channel, row.k, standing);
    if (later === null || !(await storeHeldPayment(this.prisma, channelId, later))) return false;
    this.held.adopted(row, later);
    return true;
  }

  private async cancel(channelId: string): Promise<Outcome> {
    const reply = await this.chain.cancelOrder(channelId);
    if (!reply.ok) return reply.code === 'internal' ? { refused: 'order-refused' } : 'unreachable';
    const { fleet, tower } = reply.value;
    // The tower's word is awaited, unless it has none to give: it was told, or is told when it comes back.
    const isAwaited =
      fleet?.state === 'cancelled' && tower !== null && tower.state === 'waiting' && tower.version < fleet.version;
    const isKept = isAwaited && tower.refused !== null && tower.refused.version >= fleet.version;
    if (isAwaited && !isKept) return 'later';
    // It pays more than anything that this database knows: the tower looks at the chain at its date, and sends it or not.
    if (isKept) this.logger.error({ channelId, txid: tower.txid }, 'the tower keeps a later payment than is known');
    await dropCheckpoints(this.prisma, channelId);
    this.made.inc({ result: isKept ? 'kept-by-tower' : 'cancelled' });
    return 'done';
  }
}
