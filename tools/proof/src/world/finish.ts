import { isFinal, type ChannelState } from '@seedfleet/channel-lifecycle';
import type { ChannelRecord } from './database.js';
import type { Place } from './world.js';

const POLL_MS = 250;
/** A state that has not changed for so long waits for something that only time brings. */
const STUCK_MS = 3_000;
/** Longer than any claim or grace that may be running honestly: a dead worker's claim is made to end after this. */
const CLAIM_STUCK_MS = 12_000;
const FINISH_MS = 150_000;

const isOver = ({ state }: ChannelRecord): boolean => isFinal(state as ChannelState);

/**
 * Brings every channel to its end as time would: mines, moves the median time past over deadlines, lets unfunded joins
 * grow old, and lets the claims of dead workers run out. Throws, naming those that do not get there.
 */
export async function finishChannels(world: Place): Promise<void> {
  const { chain, database } = world;
  const deadline = Date.now() + FINISH_MS;
  const since = new Map<string, { version: number; atMs: number }>();
  for (;;) {
    const open = (await database.channels()).filter((row) => !isOver(row));
    const children = await database.openTreasury();
    if (open.length + children === 0) return;
    if (Date.now() > deadline) {
      throw new Error(`without an end: ${children} of the treasury's, ${open.map(describe).join('; ')}`);
    }
    const unchangedMs = (row: ChannelRecord): number => {
      const seen = since.get(row.id);
      if (seen?.version === row.version) return Date.now() - seen.atMs;
      since.set(row.id, { version: row.version, atMs: Date.now() });
      return 0;
    };
    for (const row of open) {
      const waitedMs = unchangedMs(row);
      if (waitedMs > STUCK_MS && row.deadlineMtp !== null && isServing(row)) await chain.moveMedianTo(row.deadlineMtp);
      else if (waitedMs > STUCK_MS && awaitsFunding(row)) await database.outwait([row.id]);
      else if (waitedMs > CLAIM_STUCK_MS) {
        await database.lookNow([row.id]);
        since.delete(row.id);
      }
    }
    // A child is mined with its settlement; one that lost to another is void when that one is deep.
    if (open.length === 0) await database.lookAtTreasury();
    const deepens = open.length === 0 || open.some(({ state }) => state === 'settled');
    if (deepens || (await chain.mempool()).length > 0) await chain.mine(1);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const isServing = ({ state }: ChannelRecord): boolean => state === 'funding-seen' || state === 'funded';

const awaitsFunding = ({ state, stateReason }: ChannelRecord): boolean =>
  state === 'joined' ||
  state === 'funding-missing' ||
  (state === 'settle-rejected' && stateReason === 'missing-inputs');

/** A channel in a message. */
export function describe({ id, state, stateReason, k, settlementTxid }: ChannelRecord): string {
  return `${id} is ${state} (${stateReason}) with k ${k}${settlementTxid === null ? '' : `, settlement ${settlementTxid}`}`;
}
