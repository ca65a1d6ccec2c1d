/** One benchmark: prints its figures; true when every aim was reached. */
export type Benchmark = (args: readonly string[]) => boolean | Promise<boolean>;

/** What `npm run bench -- NAME` runs. Each is loaded only when asked for. */
export const BENCHMARKS: Readonly<Record<string, { readonly what: string; readonly load: () => Promise<Benchmark> }>> =
  {
    core: {
      what: 'seller step against bare verification, message codec, pieces without copies',
      load: async () => (await import('./core/core.js')).core,
    },
    sale: {
      what: 'paid download from a real fleet beside free transfer and libtorrent',
      load: async () => (await import('./sale/sale.js')).sale,
    },
    leecher: {
      what: 'the leecher: paid download from 1 and 4 sellers with verification and disk, streaming and seeks',
      load: async () => (await import('./leecher/leecher.js')).leecher,
    },
    market: {
      what: 'pages and price changes of the market API with 100,000 torrents and a million channels behind them',
      load: async () => (await import('./market/market.js')).market,
    },
    swarm: {
      what: 'one node with many connections, many torrents and some sales: memory, delays, rates',
      load: async () => (await import('./swarm/swarm.js')).swarm,
    },
    fleet: {
      what: 'a fleet of 1, 2 and 4 nodes: paid throughput, messages per sale, what each shared part costs and where it ends',
      load: async () => (await import('./fleet/fleet.js')).fleet,
    },
    payments: {
      what: 'payments made durable and committed, with 1, 100 and 10,000 active channels',
      load: async () => (await import('./payments/payments.js')).payments,
    },
  };
