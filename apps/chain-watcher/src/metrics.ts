import { orderRefusal } from '@seedfleet/bus';
import { Counter, Gauge, Histogram, type Registry } from '@seedfleet/service-kit';

/** The chain watcher's metrics, one tree, each with its unit. */
export function chainMetrics(registry: Registry) {
  const registers = [registry];
  const ordersUnknown = new Counter({
    name: 'seedfleet_chain_orders_unknown_total',
    help: 'Times that the tower told of an order which the fleet does not know, as after a restore from an old copy, by its state',
    labelNames: ['state'],
    registers,
  });
  // The alert counts from here: the first one must show.
  ordersUnknown.inc({ state: 'waiting' }, 0);
  const ordersRefused = new Counter({
    name: 'seedfleet_chain_orders_refused_total',
    help: 'Times that an order was offered which pays less than the one that is held, as by a fleet that is back from an old copy, by why it was refused',
    labelNames: ['code'],
    registers,
  });
  for (const code of orderRefusal.options) ordersRefused.inc({ code }, 0);
  return {
    tipHeight: new Gauge({ name: 'seedfleet_chain_tip_height', help: 'Height of the followed tip', registers }),
    tipMtp: new Gauge({
      name: 'seedfleet_chain_tip_mtp_seconds',
      help: 'Median time past of the followed tip, Unix seconds',
      registers,
    }),
    observedAt: new Gauge({
      name: 'seedfleet_chain_observed_timestamp_seconds',
      help: 'Time of the last successful look at the Bitcoin node; its age is part of the node leases',
      registers,
    }),
    rounds: new Histogram({
      name: 'seedfleet_chain_round_seconds',
      help: 'Duration of one look at chain and mempool',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120],
      registers,
    }),
    blocks: new Counter({
      name: 'seedfleet_chain_blocks_total',
      help: 'Blocks followed, by direction (connected, disconnected)',
      labelNames: ['direction'],
      registers,
    }),
    reorgDepth: new Histogram({
      name: 'seedfleet_chain_reorg_blocks',
      help: 'Blocks taken back per reorganisation',
      buckets: [1, 2, 3, 6, 12, 144],
      registers,
    }),
    rpcErrors: new Counter({
      name: 'seedfleet_chain_rpc_errors_total',
      help: 'Failed attempts to ask the Bitcoin node, by code',
      labelNames: ['code'],
      registers,
    }),
    watched: new Gauge({
      name: 'seedfleet_chain_watched_outputs',
      help: 'Watched outputs by state',
      labelNames: ['state'],
      registers,
    }),
    broadcasts: new Gauge({
      name: 'seedfleet_chain_broadcasts',
      help: 'Transactions in charge by state',
      labelNames: ['state'],
      registers,
    }),
    orders: new Gauge({
      name: 'seedfleet_chain_orders',
      help: 'Dated orders held by state (waiting, cancelled, fired, found)',
      labelNames: ['state'],
      registers,
    }),
    ordersUnacknowledged: new Gauge({
      name: 'seedfleet_chain_orders_unacknowledged',
      help: 'Waiting orders whose newest version the tower has not acknowledged for a minute, or which it is versions behind; 0 without a tower',
      registers,
    }),
    ordersUnknown,
    ordersRefused,
    unsentEvents: new Gauge({
      name: 'seedfleet_chain_outbox_unsent',
      help: 'Events stored and not yet relayed',
      registers,
    }),
    feeRate: new Gauge({
      name: 'seedfleet_chain_fee_rate_sat_per_kvb',
      help: 'Fee rates as last read, by kind',
      labelNames: ['kind'],
      registers,
    }),
  };
}

/** Injection token of the metrics. */
export const CHAIN_METRICS = Symbol('CHAIN_METRICS');

export type ChainMetrics = ReturnType<typeof chainMetrics>;
