import type { Scorecard } from '../scorecard.js';
import type { World } from '../world/world.js';
import { SITUATIONS } from './situations.js';
import { Stage } from './stage.js';
import { GRACE_SECONDS, TowerSite } from './tower-site.js';
import { towerFaults } from './tower-verdict.js';

const PIECES = 12;
/** Every payment is money, and two of them are a checkpoint. */
const PRICE_SAT = 1_000n;

/** What the fleet's processes are told beyond the usual. */
export const TOWER_ENVIRONMENT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'chain-watcher': { TOWER: 'true', ORDER_GRACE_SECONDS: String(GRACE_SECONDS) },
  'channel-settler': { TOWER: 'true' },
};

/** One channel per situation of who is dead, slow, cut off or restored, on a fleet with a tower elsewhere. */
export async function proveTower(world: World, short: boolean, scores: Scorecard): Promise<void> {
  const site = await TowerSite.open(world);
  try {
    const stage = new Stage(world, site, await world.sell('towered', PIECES, PRICE_SAT));
    for (const situation of SITUATIONS) {
      if (short && situation.short !== true) continue;
      await scores.run(situation.name, async () => {
        try {
          const outcome = await situation.run(stage);
          await stage.heal();
          return await towerFaults(stage, outcome);
        } finally {
          await stage.heal();
        }
      });
    }
  } finally {
    await site.close();
  }
}
