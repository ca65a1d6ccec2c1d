import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { assignmentsChanged, Bus } from '@seedfleet/bus';
import type { PlacementNode } from '@seedfleet/placement';
import { Counter, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { IDENTITY, type FleetIdentity } from '../identity.js';
import { NODE_SILENCE_MS } from '../nodes/liveness.js';
import { fleetSignature, placementNode, type View } from './placement-node.js';
import { PlacementRepository, type Decided, type Transaction } from './placement.repository.js';
import { changes, Planner } from './planner.js';

const TICK_MS = 5_000;
const PAGE = 2_000;
/** A fleet that has not changed for this long is moved towards its new nodes: one that restarts gets nothing moved. */
const SETTLED_MS = 60_000;
/** Torrents moved in one tick, so that nodes verify and announce a little at a time. */
const MOVES_PER_TICK = 200;
/** Nodes may still report for a minute what they were let go of. */
const STRAYED_AFTER_MS = 65_000;
const STRAYED_EVERY_MS = 600_000;
/** After a start one must have listened for this long before the silence of a node means anything. */
const LISTEN_MS = NODE_SILENCE_MS + 5_000;

/** Decides which nodes sell which torrents, and follows nodes as they come, go and fall silent. */
@Injectable()
export class PlacementService implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> | undefined;
  private stopped = false;
  /** When nodes' words on torrents of others are forgotten next. */
  private strayedAtMs = Date.now() + STRAYED_AFTER_MS;
  private readonly listeningSinceMs = Date.now();
  private readonly placed: Counter<'change'>;

  constructor(
    private readonly repository: PlacementRepository,
    // Not FleetNews, which needs the assignments, which need this.
    private readonly bus: Bus,
    @Inject(IDENTITY) private readonly identity: FleetIdentity,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.placed = new Counter({
      name: 'seedfleet_placement_changes_total',
      help: 'Torrents given to nodes and taken from them by placement',
      labelNames: ['change'],
      registers: [registry],
    });
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.tick(), TICK_MS);
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.ticking;
  }

  /** Nodes as they stand now. */
  async fleet(tx?: Transaction): Promise<PlacementNode[]> {
    const nowMs = Date.now();
    const view: View = {
      nowMs,
      believesSilence: nowMs - this.listeningSinceMs > LISTEN_MS,
      regtest: this.identity.network.startsWith('regtest'),
    };
    return (await this.repository.nodes(tx)).map((row) => placementNode(row, view));
  }

  /** Places what is new or whose number of sellers changed, if there is such. Returns when it is stored. */
  async placeDue(): Promise<void> {
    if (!(await this.repository.anyDue())) return;
    await this.repository.plan((tx) => this.pass(tx, { dueOnly: true, mayMove: false, after: '' }), true);
  }

  /** Looks whether anything is to be done, and does it. Failures are logged: the next tick tries again. */
  tick(): Promise<void> {
    this.ticking ??= this.round()
      .catch((failure: unknown) => this.logger.error({ failure: String(failure) }, 'torrents could not be placed'))
      .finally(() => {
        this.ticking = undefined;
      });
    return this.ticking;
  }

  private async round(): Promise<void> {
    if (this.stopped) return;
    const changed = await this.repository.plan((tx) => this.roundIn(tx), false);
    if (changed === true) this.bus.publish(assignmentsChanged, [], { reason: 'placement' });
  }

  private async roundIn(tx: Transaction): Promise<boolean> {
    const nodes = await this.fleet(tx);
    const signature = fleetSignature(nodes);
    const { fleet, changedAt, balancedFleet, balancedUpTo } = await this.repository.round(tx);
    let changed = false;
    if (signature !== fleet) {
      changed = await this.pass(tx, { dueOnly: false, mayMove: false, after: '' });
      await this.repository.placedFor(tx, signature);
      this.logger.info({ nodes: nodes.length }, 'torrents placed on the fleet as it is now');
    } else {
      await this.repository.followDemand(tx);
      if (await this.repository.anyDue(tx)) changed = await this.pass(tx, { dueOnly: true, mayMove: false, after: '' });
      if (signature !== balancedFleet && Date.now() - changedAt.getTime() > SETTLED_MS) {
        changed =
          (await this.pass(tx, { dueOnly: false, mayMove: true, after: balancedUpTo, fleet: signature })) || changed;
      }
    }
    const silent = nodes.filter(({ standing }) => standing === 'gone').map(({ id }) => id);
    changed = (await this.repository.endLeaving(tx, silent)) > 0 || changed;
    await this.forgetStrayed(tx, changed);
    return changed;
  }

  /** Soon after a change, and from time to time, since another process may have made one, or a node spoken late. */
  private async forgetStrayed(tx: Transaction, changed: boolean): Promise<void> {
    const nowMs = Date.now();
    if (changed) this.strayedAtMs = Math.min(this.strayedAtMs, nowMs + STRAYED_AFTER_MS);
    if (nowMs < this.strayedAtMs) return;
    await this.repository.forgetStrayed(tx);
    this.strayedAtMs = nowMs + STRAYED_EVERY_MS;
  }

  /** Decides for all torrents, or those that are due. With `fleet`, at most so many moves, and notes how far it came. */
  private async pass(
    tx: Transaction,
    how: { dueOnly: boolean; mayMove: boolean; after: string; fleet?: string },
  ): Promise<boolean> {
    const planner = new Planner(await this.fleet(tx), await this.repository.held(tx));
    let { after } = how;
    let moved = 0;
    for (;;) {
      const rows = await this.repository.torrents({ after, dueOnly: how.dueOnly, limit: PAGE }, tx);
      const decided: Decided[] = [];
      for (const row of rows) {
        const one = planner.decide(row, how.mayMove);
        after = row.infoHash;
        decided.push(one);
        if (!changes(one)) continue;
        moved += 1;
        this.count(one);
        if (how.mayMove && moved >= MOVES_PER_TICK) break;
      }
      if (decided.length > 0) await this.repository.store(tx, decided);
      const complete = rows.length < PAGE && decided.length === rows.length;
      if (complete || (how.mayMove && moved >= MOVES_PER_TICK)) {
        if (how.fleet !== undefined) await this.repository.balanced(tx, complete ? null : after, how.fleet);
        return moved > 0;
      }
    }
  }

  private count({ infoHash, decision }: Decided): void {
    const { add, drop, shortage } = decision;
    if (add.length > 0) this.placed.inc({ change: 'given' }, add.length);
    if (drop.length > 0) this.placed.inc({ change: 'taken' }, drop.length);
    this.logger.info({ infoHash, add, drop, shortage }, 'torrent placed');
  }
}
