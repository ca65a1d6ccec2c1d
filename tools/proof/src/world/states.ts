import type { ProofBuyer } from '../buyer/buyer.js';
import type { ChannelEventRecord, ChannelRecord } from './database.js';
import { waitFor, type Place } from './world.js';

const STATE_MS = 45_000;

/** The channel of a buyer that has funded. */
export async function channelOf(world: Place, buyer: ProofBuyer): Promise<ChannelRecord> {
  const txid = buyer.funding?.txid;
  const row = txid === undefined ? undefined : await world.database.channelOfFunding(txid);
  if (row === undefined) throw new Error(`no channel has the funding ${txid}`);
  return row;
}

/** Waits until a buyer's channel is in one of these states; returns it. */
export async function reaches(world: Place, buyer: ProofBuyer, ...states: string[]): Promise<ChannelRecord> {
  let last = '';
  await waitFor(
    async () => {
      const row = await world.database.channelOfFunding(buyer.funding?.txid ?? '');
      last = row?.state ?? 'unknown';
      return states.includes(last);
    },
    STATE_MS,
    `a channel to be ${states.join(' or ')}`,
  ).catch((failure: unknown) => {
    throw new Error(`${String(failure)}; it is ${last}`);
  });
  return channelOf(world, buyer);
}

export async function storyOf(world: Place, buyer: ProofBuyer): Promise<ChannelEventRecord[]> {
  return world.database.story((await channelOf(world, buyer)).id);
}

/** Story as text: `state:reason` in order. */
export function storyText(story: readonly ChannelEventRecord[]): string {
  return story.map(({ state, reason }) => `${state}:${reason}`).join(' → ');
}

/** Whether a story goes from one state to another in one step, for a reason that is stored. */
export function movesBack(story: readonly ChannelEventRecord[], from: string, to: string): boolean {
  return story.some((event, place) => story[place - 1]?.state === from && event.state === to && event.reason !== '');
}
