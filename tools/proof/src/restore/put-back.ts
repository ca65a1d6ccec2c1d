import type { ProofBuyer } from '../buyer/buyer.js';
import { finishChannels } from '../world/finish.js';
import { channelOf } from '../world/states.js';
import { channelFaults } from '../world/verdict.js';
import { waitFor, type Goods, type World } from '../world/world.js';
import { newest, RESTORED_MS, sellTo, SERVICES } from './sales.js';

/** What was before a loss. */
export interface Before {
  /** A sale that goes on, of which seven payments were made. */
  readonly open: ProofBuyer;
  /** One that was over. */
  readonly left: ProofBuyer;
  /** The newest key epoch when the copy was taken. */
  readonly epoch: number;
  /** Every key that was handed out. */
  readonly keys: ReadonlySet<string>;
}

/** Starts the services anew on a copy that was put back, ends what was open, sells once more, and looks at every satoshi of it. */
export async function putBackFaults(world: World, goods: Goods, before: Before): Promise<string[]> {
  const { open, left, epoch, keys } = before;
  for (const name of SERVICES) await world.kill(name);
  await world.allUp();
  await waitFor(async () => (await newest(world)) > epoch, RESTORED_MS, 'a new key epoch');
  await waitFor(async () => (await channelOf(world, open)).k === 7, RESTORED_MS, 'seven payments to be back');
  await open.leave();
  const fresh = await sellTo(world, goods);
  await finishChannels(world);
  const faults: string[] = [];
  for (const buyer of [open, left, fresh]) faults.push(...(await channelFaults(world, buyer, { sellerDied: false })));
  const { sellerPublicKey } = await channelOf(world, fresh);
  if (keys.has(sellerPublicKey)) faults.push(`the key ${sellerPublicKey} was handed out before`);
  return faults;
}
