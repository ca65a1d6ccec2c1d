import { takeBackup } from '../restore/backup.js';
import { buyOn, RESTORED_MS } from '../restore/sales.js';
import { waitFor } from '../world/world.js';
import type { Situation } from './situations.js';
import { awaitsOrder, type OpenSale, type Stage } from './stage.js';

/** Buys some pieces more, and waits until the tower holds a checkpoint of them; says of which payment. */
async function buyWhatIsForgotten(stage: Stage, sale: OpenSale, pieces = 3): Promise<number> {
  const { buyer, id, checkpointTxid, lastK } = sale;
  await buyOn(buyer, lastK + pieces);
  await waitFor(async () => (await stage.row(id)).k === lastK + pieces, RESTORED_MS, 'payments to be stored');
  const hasNewer = async (): Promise<boolean> => (await stage.filed(id, true)).txid !== checkpointTxid;
  await waitFor(hasNewer, 2 * RESTORED_MS, 'a checkpoint after the backup');
  return (await stage.filed(id, true)).k;
}

async function settlesHeld(stage: Stage, sale: OpenSale): Promise<void> {
  const row = await stage.becomes(sale, 'settling', 'settled', 'buried');
  const story = await stage.world.database.query<{ reason: string }>(
    'SELECT "reason" FROM channel.channel_event WHERE "channelId" = $1',
    [row.id],
  );
  if (!story.some(({ reason }) => reason === 'later-payment-held')) throw new Error('nothing was taken from the tower');
}

/** The fleet files a checkpoint as if a minute had gone by since the one before; nothing to be filed where that has all. */
async function minuteLater(stage: Stage, { id, checkpointK, checkpointTxid, lastK }: OpenSale): Promise<void> {
  if (lastK === checkpointK) return;
  await stage.world.database.query(
    `UPDATE channel.checkpoint SET "createdAt" = "createdAt" - interval '2 minutes' WHERE "channelId" = $1`,
    [id],
  );
  const isFiled = async (): Promise<boolean> => (await stage.fleetOrder(id))?.txid !== checkpointTxid;
  await waitFor(isFiled, RESTORED_MS, 'a checkpoint after the restore');
}

/** The fleet comes back from a copy, and what was paid since is not with the broker any more: only the tower has it. */
export const FORGOTTEN: readonly Situation[] = [
  {
    name: 'database and broker forget the last payments while the buyer is there: the tower has all but the newest',
    short: true,
    async run(stage) {
      const sale = await stage.sale();
      const backup = await takeBackup(stage.world.database.url);
      const k = await buyWhatIsForgotten(stage, sale);
      await stage.forget(backup);
      await sale.buyer.leave();
      await settlesHeld(stage, sale);
      return { sale, k };
    },
  },
  {
    name: 'database and broker forget the last payments of a channel that ends at its deadline',
    async run(stage) {
      const sale = await stage.sale();
      const backup = await takeBackup(stage.world.database.url);
      const k = await buyWhatIsForgotten(stage, sale);
      await stage.forget(backup);
      await stage.marginAt(sale, 1);
      await settlesHeld(stage, sale);
      return { sale, k };
    },
  },
  {
    name: 'the fleet forgets payments and files two versions of its own while the tower is cut off: the tower keeps its later one',
    async run(stage) {
      const { site } = stage;
      const sale = await stage.sale();
      const backup = await takeBackup(stage.world.database.url);
      // So few that they are one checkpoint.
      const k = await buyWhatIsForgotten(stage, sale, 2);
      const kept = await site.order(sale.id);
      site.broker.break();
      await stage.forget(backup);
      await minuteLater(stage, sale);
      await sale.buyer.leave();
      await awaitsOrder(stage, sale);
      const filed = await stage.fleetOrder(sale.id);
      const isTwo = (filed?.version ?? 0) > (kept?.version ?? 0);
      if (sale.lastK > sale.checkpointK && !isTwo) throw new Error('not two versions were filed');
      site.broker.mend();
      await settlesHeld(stage, sale);
      return { sale, k };
    },
  },
  {
    name: 'the fleet forgets payments, and the tower can not be heard for longer than a minute: it is waited for',
    async run(stage) {
      const { site, world } = stage;
      const sale = await stage.sale();
      const backup = await takeBackup(world.database.url);
      const k = await buyWhatIsForgotten(stage, sale);
      site.broker.break();
      await stage.forget(backup);
      await sale.buyer.leave();
      await awaitsOrder(stage, sale);
      await world.database.query(
        `UPDATE channel.channel SET "stateEnteredAt" = "stateEnteredAt" - interval '2 minutes' WHERE "id" = $1`,
        [sale.id],
      );
      const isPatient = async (): Promise<boolean> => {
        const [look] = await world.database.query<{ seconds: number }>(
          `SELECT extract(epoch FROM "nextActionAt" - now())::float8 AS seconds FROM channel.channel WHERE "id" = $1`,
          [sale.id],
        );
        return (look?.seconds ?? 0) > 5;
      };
      await waitFor(isPatient, RESTORED_MS, 'the settler to be patient');
      if ((await stage.row(sale.id)).state !== 'closing') throw new Error('it was not waited for');
      site.broker.mend();
      await settlesHeld(stage, sale);
      return { sale, k };
    },
  },
  {
    name: "only channel-service's tables are old, and chain-watcher's as they were",
    async run(stage) {
      const sale = await stage.sale();
      const backup = await takeBackup(stage.world.database.url);
      const k = await buyWhatIsForgotten(stage, sale);
      await stage.forget(backup, (table) => table.startsWith('chain.'));
      await sale.buyer.leave();
      await settlesHeld(stage, sale);
      return { sale, k };
    },
  },
  {
    name: 'database and broker forget every payment of a channel',
    async run(stage) {
      const { backup, sale } = await stage.saleAfterBackup('funded');
      await stage.forget(backup);
      await sale.buyer.leave();
      await settlesHeld(stage, sale);
      return { sale, k: sale.checkpointK };
    },
  },
  {
    name: 'the channel is younger than the copy: the tower sends by itself, and the fleet is told',
    async run(stage) {
      const backup = await takeBackup(stage.world.database.url);
      const sale = await stage.sale();
      const { deadlineMtp } = await stage.row(sale.id);
      await stage.forget(backup);
      await sale.buyer.leave();
      await stage.marginFrom(deadlineMtp ?? 0, 4, true);
      await stage.towerSends(sale);
      return { sale, k: sale.checkpointK, unknown: true };
    },
  },
];
