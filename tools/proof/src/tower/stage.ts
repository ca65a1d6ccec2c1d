import { ProofBuyer } from '../buyer/buyer.js';
import { loadBackup, takeBackup, type Backup } from '../restore/backup.js';
import { beginSale, buyOn, mineFunding, RESTORED_MS, SERVICES } from '../restore/sales.js';
import type { ChannelRecord } from '../world/database.js';
import { channelOf } from '../world/states.js';
import { waitFor, type Goods, type World } from '../world/world.js';
import type { OrderRecord, TowerSite } from './tower-site.js';

/** Everything of the fleet that acts for a channel. */
export const FLEET = ['chain-watcher', 'channel-settler', 'channel-intake', 'market-api', 'node-1'] as const;
/** Base of the margin, of which the schedule's times are eighths; the channels of the proof are no valuable ones. */
const MARGIN_SECONDS = 5_400;
const WAIT_MS = RESTORED_MS;

/** A sale with a checkpoint that the tower holds, and one payment more. */
export interface OpenSale {
  readonly buyer: ProofBuyer;
  readonly id: string;
  /** The payment of the checkpoint. */
  readonly checkpointK: number;
  readonly checkpointTxid: string;
  /** The last payment. */
  readonly lastK: number;
}

/** The fleet, the tower's site, and what a situation does with them. */
export class Stage {
  private readonly frozen = new Set<string>();

  constructor(
    readonly world: World,
    readonly site: TowerSite,
    private readonly goods: Goods,
  ) {}

  /** @param towerHears whether the tower is to hold the checkpoint; the fleet's chain-watcher does in any case */
  async sale(towerHears = true): Promise<OpenSale> {
    return this.held(await beginSale(this.world, this.goods), towerHears);
  }

  /** The same, with a copy of the database from a moment before its first payment. */
  async saleAfterBackup(state: string): Promise<{ readonly backup: Backup; readonly sale: OpenSale }> {
    let backup: Backup | undefined;
    const funded = mineFunding(this.world);
    const buyer: ProofBuyer = new ProofBuyer(this.world.chain, this.goods.metainfo, {
      pieces: 4,
      stay: true,
      at: async (moment, one) => {
        await funded(moment, one);
        if (moment !== 'funded') return;
        // What arrives meanwhile waits: nothing is paid before the copy is taken.
        const isThere = (): Promise<boolean> =>
          channelOf(this.world, one).then(
            (channel) => channel.state === state,
            () => false,
          );
        await waitFor(isThere, WAIT_MS, `the channel to be ${state}`);
        backup = await takeBackup(this.world.database.url);
      },
    });
    await buyer.play(this.world.node());
    await waitFor(async () => (await channelOf(this.world, buyer)).k === 4, WAIT_MS, 'four payments to be stored');
    if (backup === undefined) throw new Error('never funded');
    return { backup, sale: await this.held(buyer, true) };
  }

  private async held(buyer: ProofBuyer, towerHears: boolean): Promise<OpenSale> {
    const { id } = await channelOf(this.world, buyer);
    const checkpoint = await this.filed(id, towerHears);
    const lastK = buyer.paid + 1;
    await buyOn(buyer, lastK);
    await waitFor(async () => (await this.row(id)).k === lastK, WAIT_MS, 'the last payment to be stored');
    // The one more may have been worth another checkpoint.
    const newest = await this.filed(id, towerHears);
    const { k, txid } = newest.k > checkpoint.k ? newest : checkpoint;
    return { buyer, id, checkpointK: k, checkpointTxid: txid, lastK };
  }

  /** The newest checkpoint, once it is where it should be. */
  async filed(id: string, towerHears: boolean): Promise<{ k: number; txid: string; version: number }> {
    let found: { k: number; txid: string; version: number } | undefined;
    await waitFor(
      async () => {
        const [newest] = await this.world.database.query<{ k: number; txid: string; version: number; filed: boolean }>(
          `SELECT "k"::int, "txid", "version", "filedAt" IS NOT NULL AS filed FROM channel.checkpoint
           WHERE "channelId" = $1 ORDER BY "version" DESC LIMIT 1`,
          [id],
        );
        found = newest;
        if (newest?.filed !== true) return false;
        return !towerHears || (await this.site.order(id))?.txid === newest.txid;
      },
      WAIT_MS,
      'a checkpoint to be held',
    );
    if (found === undefined) throw new Error('no checkpoint');
    return found;
  }

  row(id: string): Promise<ChannelRecord> {
    return this.world.database.channel(id);
  }

  fleetOrder(id: string): Promise<OrderRecord | undefined> {
    return this.world.database
      .query<OrderRecord>(`SELECT "version", "txid", "state", "sentTxid" FROM chain.dated_order WHERE "id" = $1`, [id])
      .then(([order]) => order);
  }

  /**
   * The fleet's database is as it was in a backup, and what the broker had of payments since is gone.
   * @param isKept tables that stay as they are
   */
  async forget(backup: Backup, isKept: (table: string) => boolean = () => false): Promise<void> {
    const { url } = this.world.database;
    const now = await takeBackup(url);
    const rows = [...backup.rows].map(([table, old]): [string, string] => {
      const stays = table === 'channel.payment_watermark' || isKept(table);
      return [table, stays ? (now.rows.get(table) ?? old) : old];
    });
    await loadBackup(url, { rows: new Map(rows) }, async () => {
      for (const name of SERVICES) await this.world.kill(name);
    });
    await this.world.allUp();
  }

  /** Moves the median time past to so many eighths of the margin; the tower's side follows where it can. */
  async marginAt({ id }: OpenSale, eighths: number, towerFollows = true): Promise<void> {
    const { deadlineMtp } = await this.row(id);
    if (deadlineMtp === null) throw new Error('a channel without a deadline');
    await this.marginFrom(deadlineMtp, eighths, towerFollows);
  }

  async marginFrom(deadlineMtp: number, eighths: number, towerFollows: boolean): Promise<void> {
    // Nothing is mined that was sent: what is seen in the mempool has to be enough.
    await this.world.chain.moveMedianEmptyTo(deadlineMtp + Math.ceil((MARGIN_SECONDS * eighths) / 8));
    if (towerFollows) await waitFor(() => this.site.inStep(this.world), WAIT_MS, 'the tower to follow');
  }

  /** Stops a process of the fleet where it stands, as a machine does that hangs or whose cable is out. */
  freeze(...names: readonly string[]): void {
    for (const name of names) {
      process.kill(this.world.pidOf(name), 'SIGSTOP');
      this.frozen.add(name);
    }
  }

  /** Lets it go on with everything that it had in mind. */
  thaw(...names: readonly string[]): void {
    for (const name of names) {
      process.kill(this.world.pidOf(name), 'SIGCONT');
      this.frozen.delete(name);
    }
  }

  /** Ends what was frozen; its supervisor starts it anew. */
  async replace(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.frozen.delete(name);
      await this.world.kill(name);
    }
    await this.world.allUp();
  }

  /** Waits until the tower has sent something for a channel; says what. */
  async towerSends({ id }: OpenSale): Promise<string> {
    await waitFor(async () => Boolean((await this.site.order(id))?.sentTxid), WAIT_MS, 'the tower to send');
    return (await this.site.order(id))?.sentTxid ?? '';
  }

  async becomes({ id }: OpenSale, ...states: readonly string[]): Promise<ChannelRecord> {
    // Longer than the settler waits for the tower's word.
    const isThere = async (): Promise<boolean> => states.includes((await this.row(id)).state);
    await waitFor(isThere, 2 * WAIT_MS, `the channel to be ${states.join()}`);
    return this.row(id);
  }

  /** Everything is as it should be again, whatever the situation left. */
  async heal(): Promise<void> {
    this.site.link.mend();
    this.site.broker.mend();
    this.site.thaw();
    if (this.frozen.size > 0) await this.replace(...this.frozen);
    await this.site.start();
    await this.world.allUp();
    await waitFor(() => this.site.inStep(this.world), WAIT_MS, 'the tower to follow');
  }
}

/** Waits until the settler has frozen k and stands before the settlement. */
export async function awaitsOrder(stage: Stage, { id }: OpenSale): Promise<void> {
  const stands = async (): Promise<boolean> => (await stage.row(id)).stateReason === 'order-awaited';
  await waitFor(stands, RESTORED_MS, 'the settler to wait for the tower');
}
