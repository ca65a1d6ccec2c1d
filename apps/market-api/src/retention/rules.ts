import { intervalOf, keptSince, type RetentionRule } from '@seedfleet/persistence';
import { DEFAULT_POLICY } from '@seedfleet/policy';

const kept = DEFAULT_POLICY.retention;

/** What market-api removes of its schema. Torrents, offers and takedowns stay; sessions go with the next sign-in. */
export const MARKET_RULES: readonly RetentionRule[] = [
  {
    // Not the last of a node and of the chain, which tell whether there is news.
    name: 'event',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM market.event WHERE id IN (
        SELECT e.id FROM market.event e WHERE e.at < ${keptSince(kept.eventsMs)} AND (
          e.source IN ('channel', 'audit', 'alert')
          OR EXISTS (SELECT 1 FROM market.event n WHERE n.source = e.source AND n."sourceId" > e."sourceId"))
        ORDER BY e.at LIMIT ${limit})`,
  },
  {
    // Events by then, which are looked for a day back.
    name: 'alert_change',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM market.alert_change WHERE id IN (
        SELECT id FROM market.alert_change WHERE at < ${keptSince(kept.eventsMs)} ORDER BY at LIMIT ${limit})`,
  },
  {
    name: 'webhook_delivery',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM market.webhook_delivery WHERE id IN (
        SELECT id FROM market.webhook_delivery
        WHERE "createdAt" < ${keptSince(kept.deliveriesMs)} AND state <> 'pending' ORDER BY "createdAt" LIMIT ${limit})`,
  },
  {
    name: 'repeatable_write',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM market.repeatable_write WHERE id IN (
        SELECT id FROM market.repeatable_write
        WHERE "createdAt" < ${keptSince(kept.repeatableWritesMs)} ORDER BY "createdAt" LIMIT ${limit})`,
  },
  {
    name: 'audit_entry',
    remove: async (tx, limit) => {
      const [row] = await tx.$queryRaw<{ count: number }[]>`
        SELECT market.forget_audit(${intervalOf(kept.auditMs)}, ${limit}::int) AS count`;
      return row?.count ?? 0;
    },
  },
  {
    name: 'demand_bid',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM market.demand_bid WHERE ("infoHash", day, "priceSat") IN (
        SELECT "infoHash", day, "priceSat" FROM market.demand_bid
        WHERE day < ${keptSince(kept.demandMs)}::date ORDER BY day LIMIT ${limit})`,
  },
  {
    name: 'demand_day',
    remove: (tx, limit) => tx.$executeRaw`
      DELETE FROM market.demand_day WHERE ("infoHash", day) IN (
        SELECT "infoHash", day FROM market.demand_day
        WHERE day < ${keptSince(kept.demandMs)}::date ORDER BY day LIMIT ${limit})`,
  },
];
