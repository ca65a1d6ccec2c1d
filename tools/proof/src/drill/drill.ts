import type { ProofBuyer } from '../buyer/buyer.js';
import { beginSale, sellTo } from '../restore/sales.js';
import type { Scorecard } from '../scorecard.js';
import { finishChannels } from '../world/finish.js';
import { channelOf } from '../world/states.js';
import { channelFaults, type Expectation } from '../world/verdict.js';
import { waitFor, type Goods } from '../world/world.js';
import type { DrillSite } from './drill-site.js';

export const DRILL_MS = 90_000;
const PIECES = 12;
const PRICE_SAT = 1_000n;

/** A disaster, what its page does about it, and what is looked at afterwards. */
export interface Drill {
  readonly what: string;
  /** Whether the fleet is as good afterwards as before, so that the next drill may have it. */
  readonly leavesFleet: boolean;
  /** Whether its fleet has the seed in a process of its own. Default: with the settler. */
  readonly remoteSigner?: boolean;
  run(drill: DrillRun): Promise<void>;
}

/** One run of a drill. */
export interface DrillRun {
  readonly site: DrillSite;
  readonly scores: Scorecard;
  readonly goods: Goods;
  /** Does what the page says is to be done while all is well. */
  before(): Promise<void>;
  /** Follows the page. Resolves with what its commands said. */
  follow(): Promise<string>;
  /** Follows what the page says for the case that less is left. */
  followOtherwise(): Promise<string>;
}

export function putGoodsOnSale(site: DrillSite, name: string): Promise<Goods> {
  return site.sell(name, PIECES, PRICE_SAT);
}

/** Sales in every state that a disaster may meet: one that goes on, and one that is over and settles. */
export interface Sales {
  /** Four payments stored, and connected. */
  readonly selling: ProofBuyer;
  /** Three payments, and gone. */
  readonly left: ProofBuyer;
}

export async function makeSales({ site, goods }: DrillRun): Promise<Sales> {
  return { selling: await beginSale(site, goods), left: await sellTo(site, goods) };
}

export function storedUpTo(site: DrillSite, buyer: ProofBuyer, k: number): Promise<void> {
  return waitFor(async () => (await channelOf(site, buyer)).k === k, DRILL_MS, `payment ${k} to be stored`);
}

/** What a buyer's channel must be worth at the end. */
export interface Due extends Partial<Expectation> {
  readonly buyer: ProofBuyer;
}

/**
 * Brings every channel to its end and holds chain and books against what was paid: one settlement per channel, exact to the
 * satoshi, and nothing collectable lost.
 */
export async function moneyFaults(site: DrillSite, due: readonly Due[]): Promise<string[]> {
  await finishChannels(site);
  const faults: string[] = [];
  for (const { buyer, ...expected } of due) {
    faults.push(...(await channelFaults(site, buyer, { sellerDied: false, ...expected })));
  }
  faults.push(...(await site.database.differences()));
  return faults;
}
