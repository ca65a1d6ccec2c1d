import { loadBackup, takeBackup } from '../restore/backup.js';
import { FORGOTTEN } from './forgotten.js';
import { buyOn, RESTORED_MS, SERVICES } from '../restore/sales.js';
import { waitFor } from '../world/world.js';
import { awaitsOrder, FLEET, type OpenSale, type Stage } from './stage.js';

/** What must be on the chain afterwards. */
export interface Outcome {
  readonly sale: OpenSale;
  readonly k: number;
  /** Both sides sent, each on its own half of a network that was cut in two: the chain decided. */
  readonly splitNetwork?: true;
  /** The restored fleet has never heard of the channel: nothing of it is in its books. */
  readonly unknown?: true;
}

export interface Situation {
  readonly name: string;
  /** Whether it belongs to the short form. */
  readonly short?: true;
  run(stage: Stage): Promise<Outcome>;
}

const last = (sale: OpenSale): Outcome => ({ sale, k: sale.lastK });
const checkpoint = (sale: OpenSale): Outcome => ({ sale, k: sale.checkpointK });

/** Ends the sale as a buyer does that has what it wants. */
async function leave(stage: Stage, sale: OpenSale): Promise<void> {
  await sale.buyer.leave();
  await stage.becomes(sale, 'closing', 'settling', 'settled', 'buried');
}

/** The fleet is gone from before its deadline until the tower has sent. */
async function towerAlone(stage: Stage, sale: OpenSale, gone: readonly string[], eighths = 4): Promise<void> {
  stage.freeze(...gone);
  await stage.marginAt(sale, eighths);
  await stage.towerSends(sale);
}

/** By stage of a channel: while it is served, at its end, in each quarter of its margin, and after it was settled. */
export const SITUATIONS: readonly Situation[] = [
  {
    name: 'everybody lives: the last payment takes the place of the checkpoint, which is taken back',
    short: true,
    async run(stage) {
      const sale = await stage.sale();
      await leave(stage, sale);
      return last(sale);
    },
  },
  {
    name: 'everybody lives at the deadline, in the quarter in which nothing unacknowledged is sent',
    async run(stage) {
      const sale = await stage.sale();
      await stage.marginAt(sale, 3);
      await stage.becomes(sale, 'settling', 'settled');
      return last(sale);
    },
  },
  {
    name: 'the whole fleet is dead at half the margin: the tower sends the checkpoint',
    short: true,
    async run(stage) {
      const sale = await stage.sale();
      await towerAlone(stage, sale, FLEET);
      await stage.replace(...FLEET);
      return checkpoint(sale);
    },
  },
  {
    name: 'the whole fleet is dead until long after the refund would have been possible',
    async run(stage) {
      const sale = await stage.sale();
      await towerAlone(stage, sale, FLEET);
      await stage.world.chain.mine(1);
      await stage.marginAt(sale, 12);
      await stage.replace(...FLEET);
      return checkpoint(sale);
    },
  },
  {
    name: 'the settler is dead at half the margin, everything else lives',
    async run(stage) {
      const sale = await stage.sale();
      await towerAlone(stage, sale, ['channel-settler']);
      await stage.replace('channel-settler');
      return checkpoint(sale);
    },
  },
  {
    name: 'the settler sleeps through half the margin and goes on as if nothing had been',
    async run(stage) {
      const sale = await stage.sale();
      await towerAlone(stage, sale, ['channel-settler']);
      stage.thaw('channel-settler');
      return checkpoint(sale);
    },
  },
  {
    name: "the fleet's chain-watcher is dead at half the margin, the settler lives",
    async run(stage) {
      const sale = await stage.sale();
      await towerAlone(stage, sale, ['chain-watcher']);
      await stage.replace('chain-watcher');
      return checkpoint(sale);
    },
  },
  {
    name: 'the settler dies when the last payment is filed in place of the checkpoint: the tower sends that',
    async run(stage) {
      const sale = await stage.sale();
      stage.world.orders.give('channel-settler', 'settler.order.after-reply');
      await sale.buyer.leave();
      await waitFor(() => !stage.world.orders.waits('channel-settler'), RESTORED_MS, 'the settler to die');
      await waitFor(
        () => stage.world.fleet.supervisor.summary().some(({ name }) => name === 'channel-settler'),
        RESTORED_MS,
        'the settler to be started',
      );
      await stage.world.allUp();
      stage.freeze('channel-settler');
      await stage.marginAt(sale, 4);
      return last(sale);
    },
  },
  {
    name: 'the settler dies when it has stored the last payment and not filed it',
    async run(stage) {
      const sale = await stage.sale();
      stage.world.orders.give('channel-settler', 'settler.checkpoint.after-store');
      await sale.buyer.leave();
      await waitFor(() => !stage.world.orders.waits('channel-settler'), RESTORED_MS, 'the settler to die');
      await stage.world.allUp();
      return last(sale);
    },
  },
  {
    name: 'the tower is dead from the start: settled without its acknowledgement while its time is far',
    async run(stage) {
      await stage.site.kill();
      const sale = await stage.sale(false);
      await leave(stage, sale);
      await stage.becomes(sale, 'settling', 'settled', 'buried');
      return last(sale);
    },
  },
  {
    name: 'the tower can not be heard at the end: settled without it, and it finds that at half the margin',
    async run(stage) {
      const sale = await stage.sale();
      stage.site.broker.break();
      await leave(stage, sale);
      await stage.becomes(sale, 'settling', 'settled');
      await stage.marginAt(sale, 4);
      const sent = await stage.towerSends(sale);
      const { settlementTxid } = await stage.row(sale.id);
      if (sent !== settlementTxid) throw new Error(`the tower sent ${sent}, the fleet ${settlementTxid}`);
      return last(sale);
    },
  },
  {
    name: 'the tower can not be heard in the quiet quarter: the settler waits, and settles what the tower sends',
    short: true,
    async run(stage) {
      const sale = await stage.sale();
      stage.site.broker.break();
      await stage.marginAt(sale, 3);
      await awaitsOrder(stage, sale);
      await stage.marginAt(sale, 4);
      await stage.towerSends(sale);
      await stage.becomes(sale, 'settling', 'settled');
      return checkpoint(sale);
    },
  },
  {
    name: 'the tower can not be heard in the quiet quarter and then can: the last payment is settled',
    async run(stage) {
      const sale = await stage.sale();
      stage.site.broker.break();
      await stage.marginAt(sale, 3);
      await awaitsOrder(stage, sale);
      stage.site.broker.mend();
      await stage.becomes(sale, 'settling', 'settled');
      return last(sale);
    },
  },
  {
    name: 'the tower sleeps at the end of the sale and wakes a little later',
    async run(stage) {
      const sale = await stage.sale();
      stage.site.freeze();
      await sale.buyer.leave();
      await awaitsOrder(stage, sale);
      stage.site.thaw();
      await stage.becomes(sale, 'settling', 'settled');
      return last(sale);
    },
  },
  {
    name: 'the tower is dead in its own quarter: chain-watcher sends in the next one, with the settler alive',
    async run(stage) {
      const sale = await stage.sale();
      await stage.site.kill();
      await stage.marginAt(sale, 3, false);
      await awaitsOrder(stage, sale);
      await stage.marginAt(sale, 6, false);
      await stage.becomes(sale, 'settling', 'settled');
      return last(sale);
    },
  },
  {
    name: 'tower and settler are dead: chain-watcher sends the checkpoint by itself',
    async run(stage) {
      const sale = await stage.sale();
      await stage.site.kill();
      stage.freeze('channel-settler');
      await stage.marginAt(sale, 6, false);
      const sends = async (): Promise<boolean> => (await stage.fleetOrder(sale.id))?.state === 'fired';
      await waitFor(sends, RESTORED_MS, 'chain-watcher to send');
      await stage.replace('channel-settler');
      return checkpoint(sale);
    },
  },
  {
    name: 'the whole fleet is dead, and the tower comes back in the last eighth of the margin',
    async run(stage) {
      const sale = await stage.sale();
      await stage.site.kill();
      stage.freeze(...FLEET);
      await stage.marginAt(sale, 7, false);
      await stage.site.start();
      await stage.towerSends(sale);
      await stage.replace(...FLEET);
      return checkpoint(sale);
    },
  },
  {
    name: 'the tower is restored from an old backup while the fleet is dead: it reads the orders anew',
    async run(stage) {
      const before = await stage.site.backUp();
      const sale = await stage.sale();
      await stage.site.kill();
      await stage.site.restore(before);
      await stage.site.start();
      await stage.filed(sale.id, true);
      await towerAlone(stage, sale, FLEET);
      await stage.replace(...FLEET);
      return checkpoint(sale);
    },
  },
  {
    name: 'the fleet is restored from a backup older than its checkpoints, and files above what the tower holds',
    async run(stage) {
      const { world } = stage;
      const sale = await stage.sale();
      const backup = await takeBackup(world.database.url);
      await buyOn(sale.buyer, sale.lastK + 3);
      await waitFor(async () => (await stage.row(sale.id)).k === sale.lastK + 3, RESTORED_MS, 'payments to be stored');
      const hasNewer = async (): Promise<boolean> => (await stage.filed(sale.id, true)).txid !== sale.checkpointTxid;
      await waitFor(hasNewer, 2 * RESTORED_MS, 'a checkpoint after the backup');
      await loadBackup(world.database.url, backup, async () => {
        for (const name of SERVICES) await world.kill(name);
      });
      await world.allUp();
      await waitFor(async () => (await stage.row(sale.id)).k === sale.lastK + 3, RESTORED_MS, 'payments to be back');
      await leave(stage, sale);
      await stage.becomes(sale, 'settling', 'settled', 'buried');
      return { sale, k: sale.lastK + 3 };
    },
  },
  {
    name: 'the block with what the tower sent is reorganised away: the same transaction is mined again',
    async run(stage) {
      const sale = await stage.sale();
      await towerAlone(stage, sale, FLEET);
      const { chain } = stage.world;
      const isSeen = async (): Promise<boolean> => (await chain.mempool()).includes(sale.checkpointTxid);
      await waitFor(isSeen, RESTORED_MS, 'what the tower sent to be seen');
      await chain.mine(1);
      await stage.replace(...FLEET);
      await stage.becomes(sale, 'settled');
      await chain.reorganise(1);
      return checkpoint(sale);
    },
  },
  {
    name: 'the broker dies at the end of the sale and comes back',
    async run(stage) {
      const sale = await stage.sale();
      await sale.buyer.leave();
      await stage.world.kill('nats');
      await stage.world.allUp();
      await stage.becomes(sale, 'closing', 'settling', 'settled', 'buried');
      return last(sale);
    },
  },
  {
    name: 'the tower is cut off from the broker and from the other Bitcoin nodes, with a miner on its side',
    async run(stage) {
      const sale = await stage.sale();
      const { site, world } = stage;
      site.broker.break();
      await stage.marginAt(sale, 3);
      await awaitsOrder(stage, sale);
      site.link.break();
      const { deadlineMtp } = await stage.row(sale.id);
      // Half the margin passes on the tower's side alone.
      await site.call('setmocktime', (deadlineMtp ?? 0) + 2_701);
      await site.call('generatetoaddress', 6, await world.chain.newAddress());
      await stage.towerSends(sale);
      await stage.marginAt(sale, 6, false);
      await stage.becomes(sale, 'settling', 'settled');
      // The fleet's side has more blocks: when the two meet, its branch wins.
      await world.chain.mine(3);
      await stage.becomes(sale, 'settled', 'buried');
      return { ...last(sale), splitNetwork: true };
    },
  },
  ...FORGOTTEN,
];
