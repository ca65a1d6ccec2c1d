import { MAX_ORDER_BYTES, type chainFileOrder, chainOrders, type chainOrdersHeld } from '@seedfleet/bus';
import { Prisma, type DatedOrderModel, type PrismaClient } from '@seedfleet/persistence';
import type { z } from 'zod';
import { ORDER_LATE_SECONDS, ORDER_LATE_VERSIONS } from '../defaults.js';
import type { OrderHolder, OrderSchedule } from './order-schedule.js';
import { refusal, type Refusal } from './worth.js';

export type Order = z.output<typeof chainFileOrder.request>;
export type PassedOrder = z.output<typeof chainOrders.payload>;
export type HeldOrder = z.output<typeof chainOrdersHeld.request>['orders'][number];
/** What is stored of how an order stands. */
export type Standing = Pick<z.output<typeof chainFileOrder.reply>, 'fleet' | 'tower'>;

/** An order whose time has come. */
export interface DueOrder {
  readonly id: string;
  readonly version: number;
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly label: string;
  readonly output: { readonly txid: string; readonly vout: number };
  readonly schedule: OrderSchedule;
}

/** What was sent for an order. */
export interface SentForOrder {
  readonly txid: string;
  readonly raw: Uint8Array;
  readonly label: string;
}

/** What came of an order that was offered: taken; known where what is held is as high or was sent; or why it is refused. */
export type Filed = 'taken' | 'known' | Refusal;

/**
 * The table of dated orders. Rows only move on: to higher versions while they wait, never to one that pays less, and once
 * sent not at all.
 */
export class DatedOrders {
  constructor(
    private readonly prisma: PrismaClient,
    /** Whether what changes is passed on to a tower. */
    readonly passesOn: boolean,
  ) {}

  /**
   * Takes a higher version of an order, unless what is held pays more: who asks for that has forgotten a payment. Also what
   * was taken back is kept then: it is no longer sent, and still proves the payment.
   */
  async file(order: PassedOrder): Promise<Filed> {
    for (;;) {
      const row = await this.prisma.datedOrder.findUnique({ where: { id: order.id } });
      if (row === null) {
        if (await this.#take(order, null)) return 'taken';
        continue;
      }
      if (row.version >= order.version || row.state === 'fired' || row.state === 'found') return 'known';
      const code = refusal(orderOf(row), order, order.givesUp);
      if (code === null ? await this.#take(order, row) : await this.#refuse(order, row, code)) return code ?? 'taken';
      // It has moved on meanwhile, which only goes up.
    }
  }

  /** Puts an order in the place of what was read. False where that is no longer there. */
  async #take(order: PassedOrder, read: DatedOrderModel | null): Promise<boolean> {
    const { schedule, output } = order;
    const payload = JSON.stringify(chainOrders.payload.encode(order));
    const stored = await this.prisma.$queryRaw<unknown[]>`
      WITH stored AS (
        INSERT INTO chain.dated_order (id, version, txid, raw, label, "outputTxid", "outputVout", "quietFromMtp",
          "towerFromMtp", "fleetFromMtp", "towerAgainFromMtp", "openFromMtp", state)
        VALUES (${order.id}::uuid, ${order.version}, ${order.txid}, ${order.raw}, ${order.label}, ${output.txid},
          ${output.vout}, ${schedule.quietFromMtp}, ${schedule.towerFromMtp}, ${schedule.fleetFromMtp},
          ${schedule.towerAgainFromMtp}, ${schedule.openFromMtp}, ${order.state})
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, txid = excluded.txid, raw = excluded.raw,
          label = excluded.label, "outputTxid" = excluded."outputTxid", "outputVout" = excluded."outputVout",
          "quietFromMtp" = excluded."quietFromMtp", "towerFromMtp" = excluded."towerFromMtp",
          "fleetFromMtp" = excluded."fleetFromMtp", "towerAgainFromMtp" = excluded."towerAgainFromMtp",
          "openFromMtp" = excluded."openFromMtp", state = excluded.state, "refusedVersion" = NULL,
          "refusedCode" = NULL, "updatedAt" = now()
        WHERE dated_order.version = ${read?.version ?? null}::int AND dated_order.txid = ${read?.txid ?? null}::text
          AND dated_order.version < excluded.version AND dated_order.state IN ('waiting', 'cancelled')
        RETURNING id
      ), passed AS (
        INSERT INTO chain.outbox (subject, payload)
        SELECT ${`chain.order.${order.id}`}, ${payload}::jsonb FROM stored WHERE ${this.passesOn}::boolean
      )
      SELECT 1 FROM stored`;
    return stored.length === 1;
  }

  async #refuse({ id, version }: PassedOrder, read: DatedOrderModel, code: Refusal): Promise<boolean> {
    const noted = await this.prisma.$executeRaw`
      UPDATE chain.dated_order SET "refusedVersion" = greatest("refusedVersion", ${version}::int), "refusedCode" = ${code}
      WHERE id = ${id}::uuid AND version = ${read.version} AND txid = ${read.txid} AND state = ${read.state}`;
    return noted === 1;
  }

  /** Takes an order back, above every version that anybody is known to hold. One that was sent stays as it is. */
  async cancel(id: string): Promise<void> {
    const row = await this.prisma.datedOrder.findUnique({ where: { id } });
    if (row === null || row.state === 'cancelled') return;
    const version = Math.max(row.version, row.towerVersion ?? 0) + 1;
    const cancelled: PassedOrder = { ...orderOf(row), version, state: 'cancelled' };
    if (row.state === 'waiting') return void (await this.file(cancelled));
    if (!this.passesOn || row.towerState !== 'waiting') return;
    // Sent here, and still waiting there.
    const payload = JSON.stringify(chainOrders.payload.encode(cancelled));
    await this.prisma.$executeRaw`
      INSERT INTO chain.outbox (subject, payload) VALUES (${`chain.order.${id}`}, ${payload}::jsonb)`;
  }

  async standing(id: string): Promise<Standing> {
    const row = await this.prisma.datedOrder.findUnique({ where: { id } });
    return row === null ? { fleet: null, tower: null } : { fleet: heldOf(row), tower: towerOf(row) };
  }

  /** What this process holds of these. */
  async held(ids: readonly string[]): Promise<HeldOrder[]> {
    const rows = await this.prisma.datedOrder.findMany({ where: { id: { in: [...ids] } } });
    return rows.map((row) => ({ id: row.id, ...heldOf(row) }));
  }

  /**
   * Notes what the tower has acknowledged. That it has sent something is never forgotten.
   * @returns the ids of those that are not known here, as after a restore from an old copy
   */
  async acknowledge(orders: readonly HeldOrder[]): Promise<string[]> {
    for (const { id, version, txid, raw, state, sent, refused } of orders) {
      await this.prisma.$executeRaw`
        UPDATE chain.dated_order SET "towerVersion" = ${version}, "towerTxid" = ${txid}, "towerRaw" = ${raw},
          "towerState" = ${state}, "towerSentTxid" = ${sent?.txid ?? null}, "towerSentRaw" = ${sent?.raw ?? null},
          "towerRefusedVersion" = ${refused?.version ?? null}, "towerRefusedCode" = ${refused?.code ?? null}
        WHERE id = ${id}::uuid AND ("towerSentTxid" IS NULL OR ${sent !== null}::boolean)`;
    }
    const ids = orders.map(({ id }) => id);
    const rows = await this.prisma.datedOrder.findMany({ where: { id: { in: ids } }, select: { id: true } });
    const known = new Set(rows.map(({ id }) => id));
    return ids.filter((id) => !known.has(id));
  }

  /** Orders that this holder may send now, the most urgent first. */
  async due(holder: OrderHolder, medianTimePast: number, limit: number): Promise<DueOrder[]> {
    const slot =
      holder === 'alone'
        ? Prisma.sql`"towerFromMtp" <= ${medianTimePast}`
        : holder === 'tower'
          ? Prisma.sql`"towerFromMtp" <= ${medianTimePast}
              AND ("fleetFromMtp" > ${medianTimePast} OR "towerAgainFromMtp" <= ${medianTimePast})`
          : Prisma.sql`"fleetFromMtp" <= ${medianTimePast}
              AND ("towerAgainFromMtp" > ${medianTimePast} OR "openFromMtp" <= ${medianTimePast})`;
    const rows = await this.prisma.$queryRaw<DatedOrderModel[]>`
      SELECT * FROM chain.dated_order WHERE state = 'waiting' AND ${slot} ORDER BY "openFromMtp" LIMIT ${limit}`;
    return rows.map((row) => orderOf(row));
  }

  /**
   * Marks an order as sent, before anything is sent. False where it has moved on meanwhile.
   * @param state fired: its own transaction; found: one that spends the output already
   */
  async mark(order: DueOrder, state: 'fired' | 'found', sent: SentForOrder): Promise<boolean> {
    const marked = await this.prisma.$executeRaw`
      UPDATE chain.dated_order SET state = ${state}, "sentTxid" = ${sent.txid}, "sentRaw" = ${sent.raw},
        "updatedAt" = now()
      WHERE id = ${order.id}::uuid AND version = ${order.version} AND state = 'waiting'`;
    return marked === 1;
  }

  /** What was marked as sent and is in nobody's charge: the process ended in between. */
  async unsent(limit: number): Promise<SentForOrder[]> {
    const rows = await this.prisma.$queryRaw<{ txid: string; raw: Uint8Array; label: string }[]>`
      SELECT o."sentTxid" AS txid, o."sentRaw" AS raw, o.label FROM chain.dated_order o
      WHERE o.state IN ('fired', 'found') AND NOT EXISTS (SELECT FROM chain.broadcast b WHERE b.txid = o."sentTxid")
      LIMIT ${limit}`;
    return rows;
  }

  /** Ids of what was sent lately: the tower reports these until they are acknowledged. */
  async sentIds(limit: number): Promise<string[]> {
    const rows = await this.prisma.datedOrder.findMany({
      where: { state: { in: ['fired', 'found'] } },
      orderBy: { updatedAt: 'desc' },
      take: limit,
      select: { id: true },
    });
    return rows.map(({ id }) => id);
  }

  /** Drops orders that nobody can want any more. Returns how many. */
  async forget(medianTimePast: number, afterSeconds: number): Promise<number> {
    const { count } = await this.prisma.datedOrder.deleteMany({
      where: { openFromMtp: { lt: medianTimePast - afterSeconds } },
    });
    return count;
  }

  /** How many waiting orders the tower does not hold as they are; 0 where there is none. */
  async unacknowledged(): Promise<number> {
    if (!this.passesOn) return 0;
    const rows = await this.prisma.$queryRaw<{ count: number }[]>`
      SELECT count(*)::int AS count FROM chain.dated_order
      WHERE state = 'waiting' AND version > coalesce("towerVersion", 0)
        AND ("updatedAt" < now() - make_interval(secs => ${ORDER_LATE_SECONDS})
          OR version > coalesce("towerVersion", 0) + ${ORDER_LATE_VERSIONS}::int)`;
    return rows[0]?.count ?? 0;
  }

  /** Counts by state, for the metrics. */
  async counts(): Promise<Record<string, number>> {
    const groups = await this.prisma.datedOrder.groupBy({ by: ['state'], _count: { _all: true } });
    return Object.fromEntries(groups.map(({ state, _count }) => [state, _count._all]));
  }
}

function orderOf(row: DatedOrderModel): Order {
  const { id, version, txid, label, quietFromMtp, towerFromMtp, fleetFromMtp, towerAgainFromMtp, openFromMtp } = row;
  return {
    id,
    version,
    txid,
    raw: new Uint8Array(row.raw),
    label,
    output: { txid: row.outputTxid, vout: row.outputVout },
    schedule: { quietFromMtp, towerFromMtp, fleetFromMtp, towerAgainFromMtp, openFromMtp },
    givesUp: null,
  };
}

const fewBytes = (raw: Uint8Array | null): Uint8Array | null =>
  raw === null || raw.length > MAX_ORDER_BYTES ? null : new Uint8Array(raw);

const sentOf = (txid: string | null, raw: Uint8Array | null) => (txid === null ? null : { txid, raw: fewBytes(raw) });

type HeldState = HeldOrder['state'];

const refusedOf = (version: number | null, code: string | null): HeldOrder['refused'] =>
  version === null || code === null ? null : { version, code: code as Refusal };

function heldOf(row: DatedOrderModel): NonNullable<Standing['fleet']> {
  const { version, txid, raw, sentTxid, sentRaw } = row;
  const refused = refusedOf(row.refusedVersion, row.refusedCode);
  const sent = sentOf(sentTxid, sentRaw);
  return { version, txid, raw: fewBytes(raw), state: row.state as HeldState, sent, refused };
}

function towerOf(row: DatedOrderModel): Standing['tower'] {
  const { towerVersion: version, towerTxid: txid, towerRaw, towerState: state, towerSentTxid, towerSentRaw } = row;
  if (version === null || txid === null || state === null) return null;
  const refused = refusedOf(row.towerRefusedVersion, row.towerRefusedCode);
  const sent = sentOf(towerSentTxid, towerSentRaw);
  return { version, txid, raw: fewBytes(towerRaw), state: state as HeldState, sent, refused };
}
