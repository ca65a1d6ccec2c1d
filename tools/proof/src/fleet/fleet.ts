import type { Scorecard } from '../scorecard.js';
import { finishChannels } from '../world/finish.js';
import { Miner } from '../world/miner.js';
import { waitFor, type Goods, type World } from '../world/world.js';
import { Questions } from './questions.js';
import { Shoppers } from './shoppers.js';

const TORRENTS = 6;
const REPLICAS = 2;
const PIECES = 8;
/** kMin is 1 with the settlement fee of a quiet regtest: every payment is money. */
const PRICE_SAT = 1_000n;
const SHOPPERS = 2;
/** As many as there are coins, which a slow machine does not use up in the time that this takes. */
const MOST_SALES = 400;
const MORE_COINS = 300;
const COIN_SAT = 50_000n;
const SPREAD_MS = 90_000;
/** Silent after 15 s, placed elsewhere at once; the rest is verification. */
const MOVED_MS = 30_000;
const WATCHERS = ['chain-watcher', 'chain-watcher-2'];
/** The lease lasts 10 s; that of a process that has died ends with its connection. */
const TAKEN_OVER_MS = 15_000;
/** In the order in which an upgrade goes. */
const ROLLED = [
  'chain-watcher',
  'chain-watcher-2',
  'channel-settler',
  'channel-settler-2',
  'channel-intake',
  'channel-intake-2',
  'market-api',
  'market-api-2',
  'node-1',
  'node-2',
] as const;

/** A whole fleet on one machine that grows, loses a node, drains one and is rolled, while buyers buy all the time. */
export async function proveFleet(world: World, short: boolean, scores: Scorecard): Promise<void> {
  const goods: Goods[] = [];
  for (let number = 1; number <= TORRENTS; number += 1)
    goods.push(await world.sell(`film-${number}`, PIECES, PRICE_SAT));
  for (const { metainfo } of goods) await world.market.replicas(metainfo.infoHash, REPLICAS);
  await world.chain.makeCoins(MORE_COINS, COIN_SAT);
  const miner = new Miner(world);
  const questions = new Questions(['market-api', 'market-api-2'].map((name) => world.fleet.urlOf(name)));
  const shoppers = new Shoppers(world, goods, SHOPPERS, MOST_SALES);
  try {
    await scores.run('torrents are spread: each on two nodes, none idle, and sold', async () => {
      await spread(world, goods, 3);
      await shoppers.more(2, 'from three nodes');
      return [];
    });
    await scores.run('a node that is added gets its share, and sells', async () => {
      await world.fleet.addNode();
      await spread(world, goods, 4);
      await shoppers.more(1, 'from four nodes');
      return [];
    });
    await scores.run(
      `a node that is killed is replaced within ${MOVED_MS / 1_000} s; buyers go on with the others`,
      () => killForGood(world, goods, shoppers, 'node-3'),
    );
    await scores.run('a node that drains during sales loses nothing, and sells again', () =>
      roll(world, shoppers, 'node-2'),
    );
    await scores.run('one of two intakes killed: the other records, sales go on', async () => {
      await world.kill('channel-intake');
      await shoppers.more(2, 'after an intake died');
      await world.allUp();
      return [];
    });
    await scores.run('one of two settlers killed: the other settles, each channel once', async () => {
      await world.kill('channel-settler');
      await shoppers.more(2, 'after a settler died');
      await world.allUp();
      return [];
    });
    await scores.run('the chain-watcher that works killed: the one that stood by goes on, sales too', async () => {
      const working = await workingWatcher(world);
      await world.kill(working);
      const next = WATCHERS.find((name) => name !== working) ?? '';
      await waitFor(async () => (await roleOf(world, next)) === 'active', TAKEN_OVER_MS, `${next} to take over`);
      await shoppers.more(2, 'after a chain-watcher died');
      await world.allUp();
      await waitFor(async () => (await roleOf(world, working)) === 'standby', SPREAD_MS, `${working} to stand by`);
      return [];
    });
    for (const name of short ? ROLLED.filter((each) => each.startsWith('market-api')) : ROLLED) {
      await scores.run(`${name} rolled under load`, () => roll(world, shoppers, name));
    }
    await scores.run('every question to the market API was answered meanwhile', () =>
      Promise.resolve(
        questions.unanswered.length === 0
          ? []
          : [`${questions.unanswered.length} of ${questions.asked} were not`, ...questions.unanswered.slice(0, 5)],
      ),
    );
    await scores.run('every satoshi of every sale is where it belongs', async () => {
      await shoppers.stop();
      await finishChannels(world);
      const faults = await shoppers.faults();
      scores.line(`    ${shoppers.buyers.length} channels, ${shoppers.complete} sales complete`);
      return faults;
    });
  } finally {
    await shoppers.stop();
    questions.stop();
    miner.stop();
  }
}

/** Every torrent on two nodes, and every one of so many nodes with one. */
async function spread(world: World, goods: readonly Goods[], nodes: number): Promise<void> {
  await waitFor(
    async () => {
      const each = await Promise.all(goods.map(({ metainfo }) => world.market.sellers(metainfo.infoHash)));
      const used = new Set(each.flat().map(({ host }) => host));
      return each.every((sellers) => sellers.length >= REPLICAS) && used.size >= nodes;
    },
    SPREAD_MS,
    `${nodes} nodes to sell, each torrent on ${REPLICAS}`,
  );
}

async function killForGood(world: World, goods: readonly Goods[], shoppers: Shoppers, name: string): Promise<string[]> {
  const host = world.node(Number(name.replace('node-', '')) - 1).host;
  await world.remove(name);
  const killedMs = performance.now();
  await shoppers.more(1, 'while a node is missing');
  await waitFor(
    async () => {
      const each = await Promise.all(goods.map(({ metainfo }) => world.market.sellers(metainfo.infoHash)));
      return each.every((sellers) => sellers.length >= REPLICAS && sellers.every((seller) => seller.host !== host));
    },
    SPREAD_MS,
    'its torrents to be sold elsewhere',
  );
  const tookMs = performance.now() - killedMs;
  return tookMs <= MOVED_MS ? [] : [`its torrents were sold elsewhere after ${(tookMs / 1_000).toFixed(1)} s`];
}

/** What a chain-watcher says of itself; nothing while it does not answer. */
async function roleOf(world: World, name: string): Promise<string | undefined> {
  const answer = await fetch(`${world.fleet.urlOf(name)}/health`).catch(() => undefined);
  const report = (await answer?.json()) as { notes: Record<string, string> } | undefined;
  return report?.notes['role'];
}

async function workingWatcher(world: World): Promise<string> {
  const roles = await Promise.all(WATCHERS.map((name) => roleOf(world, name)));
  const working = WATCHERS.filter((_, index) => roles[index] === 'active');
  if (working.length !== 1 || !roles.includes('standby')) throw new Error(`chain-watchers are ${roles.join(' and ')}`);
  return working[0] ?? '';
}

/** As an upgrade does: asked to end, then started again. */
async function roll(world: World, shoppers: Shoppers, name: string): Promise<string[]> {
  await world.restart(name);
  await shoppers.more(1, `after ${name} came back`);
  return [];
}
