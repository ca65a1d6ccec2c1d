import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import { ChainClient } from '../chain/chain-client.js';
import { ChainStatus } from '../chain/chain-status.js';
import { lookAgain } from '../channels/channel-repository.js';
import type { ChannelRow } from '../channels/channel-row.js';
import type { Conflict } from '../funding/absence.js';
import { DATABASE, POLICY } from '../tokens.js';
import { whyGone, type Gone } from './lost-funding.js';
import { SettlementMoves } from './settlement-moves.js';
import { isOrphaned, paysUs, type SettlementProgress } from './settlement-progress.js';

/** Looks, seconds: while chain-watcher does not answer, and at a missing funding. */
const LOOK_SECONDS = { unreachable: 5, missing: 60 } as const;

/** Channels whose funding transaction is not there: it may come back, and may be gone for good. */
@Injectable()
export class MissingFunding {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(SettlementMoves) private readonly moves: SettlementMoves,
    @Inject(POLICY) private readonly policy: Policy,
  ) {}

  /**
   * A funding that vanished may come back for as long as somebody can mine it again; then what was paid is settled. One whose
   * rival is final will not.
   */
  async awaitFunding(row: ChannelRow): Promise<void> {
    if (row.k === 0n) return this.moves.finish(row, 'nothing-owed', 'nothing-paid');
    if (row.fundingTxid === null || row.fundingVout === null) return;
    const output = await this.chain.output(row.fundingTxid, row.fundingVout);
    if (!output.ok) return lookAgain(this.prisma, row, LOOK_SECONDS.unreachable);
    if (output.value.found) {
      await this.moves.move({ channel: row, to: 'closing', reason: 'funding-back', nextActionInSeconds: 0 });
      return;
    }
    const gone = this.whyGone(row, output.value.conflict);
    if (gone === null) return lookAgain(this.prisma, row, LOOK_SECONDS.missing);
    if (row.state === 'lost') return lookAgain(this.prisma, row, null);
    await this.moves.finish(row, paysUs({ ...row, frozenK: row.k }) ? 'lost' : 'nothing-owed', gone.reason, gone.data);
  }

  /** A stored settlement whose funding stayed away; while the node still has the funding, the refusal has another cause. */
  async orphaned(row: ChannelRow, progress: SettlementProgress): Promise<boolean> {
    if (!isOrphaned(row, progress) || row.fundingTxid === null || row.fundingVout === null) return false;
    const output = await this.chain.output(row.fundingTxid, row.fundingVout);
    if (!output.ok || output.value.found) return false;
    const gone = this.whyGone(row, output.value.conflict);
    if (gone === null) return false;
    if (row.state === 'lost') await lookAgain(this.prisma, row, null);
    else await this.moves.finish(row, paysUs(row) ? 'lost' : 'nothing-owed', gone.reason, gone.data);
    return true;
  }

  private whyGone(row: ChannelRow, conflict: Conflict | null): Gone | null {
    const tipHeight = this.status.current()?.tip.height ?? null;
    return whyGone(row, conflict, { tipHeight, nowMs: Date.now(), watchMs: this.policy.timeouts.watchUnconfirmedMs });
  }
}
