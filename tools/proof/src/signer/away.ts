import type { ProofBuyer } from '../buyer/buyer.js';
import { sellTo } from '../restore/sales.js';
import { finishChannels } from '../world/finish.js';
import { channelOf, reaches } from '../world/states.js';
import { channelFaults } from '../world/verdict.js';
import { waitFor, type Goods, type World } from '../world/world.js';

const SIGNER = 'channel-signer';
const SALES = 3;
const WAIT_MS = 90_000;

/** Sales while the signer does not answer; they wait with their k frozen, and are settled when it is back. */
export async function awayFaults(world: World, goods: Goods): Promise<string[]> {
  const faults: string[] = [];
  const buyers: ProofBuyer[] = [];
  await world.whileStopped([SIGNER], async () => {
    for (let sale = 0; sale < SALES; sale += 1) buyers.push(await sellTo(world, goods));
    for (const buyer of buyers) {
      await waitFor(async () => (await channelOf(world, buyer)).frozenK !== null, WAIT_MS, 'a channel to close');
      const { state, stateReason } = await channelOf(world, buyer);
      if (state !== 'closing') faults.push(`without a signer a channel is ${state} (${stateReason})`);
    }
    const [quarantined] = await world.database.query<{ nodes: number }>(
      'SELECT count(*)::int AS "nodes" FROM channel.quarantined_node',
    );
    if (quarantined?.nodes !== 0) faults.push('a node was blamed for it');
  });
  for (const buyer of buyers) await reaches(world, buyer, 'settling', 'settled', 'buried');
  await finishChannels(world);
  for (const buyer of buyers) faults.push(...(await channelFaults(world, buyer, { sellerDied: false })));
  return faults;
}
