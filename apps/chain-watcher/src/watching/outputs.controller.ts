import { Controller, Inject } from '@nestjs/common';
import { CoreNode } from '@seedfleet/bitcoin-node';
import { chainGetOutput, chainWatchOutput, fundingConflict, Handles } from '@seedfleet/bus';
import { faultPoint } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { ANSWER_WITHIN_MS, FOLLOW_WITHIN_MS, MAX_WATCHED_OUTPUTS } from '../defaults.js';
import { ChainWatch } from '../following/chain-watch.js';
import { OutboxRelay } from '../outbox/outbox-relay.js';
import { firstOf, Serial } from '../serial.js';
import { ChainStore } from '../store/chain-store.js';
import { signalsReplacement } from './inputs.js';
import { lookUpOutput } from './output-lookup.js';
import { OutputWatcher } from './output-watcher.js';

@Controller()
export class OutputsController {
  constructor(
    @Inject(CoreNode) private readonly node: CoreNode,
    @Inject(Serial) private readonly serial: Serial,
    @Inject(ChainStore) private readonly store: ChainStore,
    @Inject(OutputWatcher) private readonly watcher: OutputWatcher,
    @Inject(OutboxRelay) private readonly relay: OutboxRelay,
    @Inject(ChainWatch) private readonly watch: ChainWatch,
  ) {}

  /**
   * Answers from the node as it is now, whether the output is watched or not; of blocks only once they are followed, so
   * that news of their going can't be missed. Fails where they are not in time: the asker asks again.
   */
  @Handles(chainGetOutput)
  async getOutput(asked: z.output<typeof chainGetOutput.request>): Promise<z.output<typeof chainGetOutput.reply>> {
    const facts = await lookUpOutput(this.node, asked);
    if (!facts.ok) throw new Error(`${facts.error.method}: ${facts.error.message}`);
    const conflict = await this.conflictOf(asked);
    if (facts.value === null) return { found: false, conflict };
    const { found, fundingMtp, seenAtSec, spend, mempool } = facts.value;
    const block = found.place.kind === 'block' ? found.place : null;
    const spentIn =
      spend === null || spend.height === null || spend.hash === null
        ? null
        : { height: spend.height, hash: spend.hash };
    for (const told of [block?.block, spentIn]) {
      if (told && !(await firstOf(this.watch.reaches(told), false, FOLLOW_WITHIN_MS))) {
        throw new Error(`block ${told.hash} is not followed yet`);
      }
    }
    return {
      found: true,
      raw: new Uint8Array(Buffer.from(found.hex, 'hex')),
      confirmations: block?.confirmations ?? 0,
      height: block?.block.height ?? null,
      blockHash: block?.block.hash ?? null,
      fundingMtp,
      ageSeconds: Math.max(0, Math.floor(Date.now() / 1_000) - seenAtSec),
      spentBy: spend,
      mempool: mempool && {
        feeSat: mempool.feeSat,
        virtualBytes: mempool.virtualSize,
        ancestors: mempool.ancestorCount - 1,
        // Newer nodes do not report the signal any more, as they replace without it.
        replaceable: mempool.signalsReplacement ?? signalsReplacement(found.transaction),
      },
      // One that is in a block has won, whatever was seen before.
      conflict: block === null ? conflict : null,
    };
  }

  /** What else was seen to spend an input of a watched output's transaction. */
  private async conflictOf(asked: { txid: string; vout: number }): Promise<z.output<typeof fundingConflict> | null> {
    const stored = await this.store.output(asked);
    if (stored === undefined || stored.life.conflict === null) return null;
    const { txid, height } = stored.life.conflict;
    const sinceMs = Math.max(0, Date.now() - (stored.conflictSeenAt?.getTime() ?? Date.now()));
    return { txid, height, sinceMs };
  }

  /** Answered once the wish is stored and, while the node answers, the output's past is known. */
  @Handles(chainWatchOutput)
  async watchOutput(wish: z.output<typeof chainWatchOutput.request>): Promise<Record<string, never>> {
    if ((await this.store.watchedCount()) >= MAX_WATCHED_OUTPUTS) throw new Error('too many outputs are watched');
    faultPoint('chain.watch.before-store');
    await this.watcher.store(wish);
    faultPoint('chain.watch.after-store');
    // If the node is away, the next round that reaches it looks the past up.
    const lookingUp = this.serial.run(() => this.watcher.lookUpNow(wish));
    await firstOf<unknown>(lookingUp, null, ANSWER_WITHIN_MS);
    this.relay.poke();
    return {};
  }
}
