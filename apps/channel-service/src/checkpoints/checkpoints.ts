import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { maturityMtp } from '@seedfleet/channel-lifecycle';
import type { Network } from '@seedfleet/payment-channel';
import { PrismaClient } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import { Counter, faultPoint, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { ChainClient } from '../chain/chain-client.js';
import { ChainStatus } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { settlementLabel } from '../channels/channel-repository.js';
import { channelParameters } from '../channels/parameters.js';
import type { Signer } from '../keys/signer.js';
import { DATABASE, NETWORK, POLICY, SIGNER } from '../tokens.js';
import {
  channelsToCheckpoint,
  channelsWithOrders,
  checkpointFiled,
  dropCheckpoints,
  newestCheckpoint,
  storeCheckpoint,
  unfiledCheckpoints,
  type FiledCheckpoint,
} from './checkpoint-repository.js';
import { scheduleOf } from './order-schedule.js';

/** How often channels are looked through; a payment is at risk for so long beyond what the policy says. */
const EVERY_MS = 2_000;
/** Per look: some milliseconds each. */
const PER_LOOK = 100;

/**
 * Signs the settlement of what was paid so far while a sale runs, and files it with chain-watcher, to be sent if nobody
 * settles in time. Takes it back once the channel is over.
 */
@Injectable()
export class Checkpoints implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly made: Counter<'result'>;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private failing = false;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
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
      .then(() => void (this.failing = false))
      .catch((failure: unknown) => {
        if (!this.failing) this.logger.error({ failure: String(failure) }, 'checkpoints can not be made');
        this.failing = true;
      })
      .finally(() => void (this.running = undefined));
  }

  private async round(): Promise<void> {
    const report = this.status.current();
    if (report === null) return;
    const { medianTimePast } = report.tip;
    const rows = await channelsToCheckpoint(this.prisma, medianTimePast, this.policy.checkpoint, PER_LOOK);
    for (const row of rows) await this.sign(row).catch((failure: unknown) => this.failed(row.id, failure));
    for (const checkpoint of await unfiledCheckpoints(this.prisma, PER_LOOK)) {
      if (!(await this.file(checkpoint))) return;
    }
    for (const channelId of await channelsWithOrders(this.prisma, PER_LOOK)) {
      if (!(await this.cancel(channelId))) return;
    }
  }

  /** A corrupted row can make anything throw, and must not keep the others waiting. */
  private failed(channelId: string, failure: unknown): void {
    this.made.inc({ result: 'failed' });
    this.logger.error({ channelId, failure: String(failure) }, 'a checkpoint can not be made');
  }

  private async sign(row: ChannelRow): Promise<void> {
    const { id: channelId, k, signature, deadlineMtp, keyEpoch, keyIndex, fundingTxid, fundingVout } = row;
    const channel = channelParameters(row, this.network);
    if (channel === null || signature === null || deadlineMtp === null) return;
    if (fundingTxid === null || fundingVout === null) return;
    const output = await this.chain.output(fundingTxid, fundingVout);
    if (!output.ok || !output.value.found || output.value.fundingMtp === null || output.value.spentBy !== null) return;
    const maturity = maturityMtp({ lockUnits: row.lockUnits, fundingPreviousMtp: output.value.fundingMtp });
    if (maturity === undefined) return;
    const path = { epoch: keyEpoch, index: keyIndex };
    const signed = await this.signer.signSettlement({ path, channel, k: Number(k), buyerSignature: signature });
    if (!signed.ok) {
      this.made.inc({ result: signed.code });
      this.logger.error({ channelId, k: k.toString(), code: signed.code }, 'a checkpoint can not be signed');
      return;
    }
    faultPoint('settler.checkpoint.before-store');
    const version = ((await newestCheckpoint(this.prisma, channelId))?.version ?? 0) + 1;
    const { txid, bytes } = signed.transaction;
    const schedule = scheduleOf(deadlineMtp, maturity, this.policy);
    await storeCheckpoint(this.prisma, { channelId, version, k, txid, raw: new Uint8Array(bytes), schedule });
    faultPoint('settler.checkpoint.after-store');
    this.made.inc({ result: 'signed' });
  }

  /** False where chain-watcher does not answer: the others wait too. */
  private async file(checkpoint: FiledCheckpoint): Promise<boolean> {
    const { channelId, version, txid, raw, schedule, fundingTxid, fundingVout } = checkpoint;
    const reply = await this.chain.fileOrder({
      id: channelId,
      version,
      txid,
      raw,
      label: settlementLabel(channelId),
      output: { txid: fundingTxid, vout: fundingVout },
      schedule,
    });
    if (!reply.ok) return reply.code === 'internal';
    const { fleet, tower } = reply.value;
    const highest = Math.max(fleet?.version ?? 0, tower?.version ?? 0);
    const isHeld = fleet?.version === version && fleet.txid === txid && highest === version;
    const isOver = Boolean(fleet?.sent ?? tower?.sent);
    if (!isHeld && !isOver) {
      // Somebody holds a higher one: this database was restored. It is filed above that.
      await storeCheckpoint(this.prisma, { ...checkpoint, version: highest + 1 });
      return true;
    }
    await checkpointFiled(this.prisma, channelId, version);
    this.made.inc({ result: isOver ? 'sent-already' : 'filed' });
    return true;
  }

  /** False where chain-watcher does not answer. */
  private async cancel(channelId: string): Promise<boolean> {
    const reply = await this.chain.cancelOrder(channelId);
    if (!reply.ok) return false;
    const { fleet, tower } = reply.value;
    // The tower's word is awaited, unless it has none to give: it was told, or is told when it comes back.
    if (fleet?.state === 'cancelled' && tower !== null && tower.state === 'waiting' && tower.version < fleet.version) {
      return true;
    }
    await dropCheckpoints(this.prisma, channelId);
    this.made.inc({ result: 'cancelled' });
    return true;
  }
}
