import { signerChild, signerSettlement, signerSweep, type RequestContract } from '@seedfleet/bus';
import type { z } from 'zod';
import { SHORT_SIGNER_KILL_CASES, SIGNER_KILL_CASES } from '../kill/cases.js';
import { proveKills } from '../kill/kill.js';
import { sellTo } from '../restore/sales.js';
import type { Scorecard } from '../scorecard.js';
import { finishChannels } from '../world/finish.js';
import { channelFaults } from '../world/verdict.js';
import type { Goods, ProcessVariables, World } from '../world/world.js';
import { seedlessFaults } from './seedless.js';
import { awayFaults } from './away.js';
import { changedLogFaults } from './changed-logs.js';
import { settlementOf, soldChannel, sweepOf, type Sold } from './orders.js';
import { openKeyFaults, refusedSettlements, rivalFaults } from './refused-settlements.js';
import {
  budgetFaults,
  destinationFaults,
  malformedFaults,
  rateFaults,
  refusedChildren,
  refusedSweeps,
} from './refused-treasury.js';
import { lostDatabaseFaults } from './lost-database.js';
import { linesIn, logFaults, signingLogOf } from './signing-file.js';
import { Thief } from './thief.js';

/** Its log goes on in another file after a few lines, so that all of this happens there too. */
export const SIGNER_ENVIRONMENT: ProcessVariables = { 'channel-signer': { SIGNING_LOG_SEGMENT_LINES: '3' } };

const PIECES = 12;
const PRICE_SAT = 1_000n;
/** Keys that no settler has come to yet. */
const UNUSED_INDEX = 1_000_000;
/** A question that the broker drops has no answer. */
const UNHEARD_MS = 3_000;

/** A fleet whose seed is in a process of its own: plugs pulled, the signer away, its log changed, and a thief at the broker. */
export async function proveSigner(world: World, short: boolean, scores: Scorecard): Promise<void> {
  await proveKills(world, short ? SHORT_SIGNER_KILL_CASES : SIGNER_KILL_CASES, scores);
  const goods = await world.sell('signed', PIECES, PRICE_SAT);
  await scores.run('the signer is away: sales go on, and are settled when it is back', () => awayFaults(world, goods));
  await scores.run('a backup without a seed comes back without one', () => seedlessFaults(world));
  if (!short) {
    await scores.run(
      'the database destroyed and restored to an older state: the signer’s log knows more, all settle',
      () => lostDatabaseFaults(world, goods),
    );
  }
  await scores.run('what was sent is in the log, once, and never a lower payment after a higher one', () =>
    logFaults(world),
  );
  await scores.run('a log that was changed: the signer does not start, and says why', () =>
    changedLogFaults(world, short),
  );
  await scores.run('somebody with another credential is not heard', () => unheardFaults(world, goods));
  await proveThief(world, goods, short, scores);
  await scores.run('books, channels and chain agree', async () => {
    await finishChannels(world);
    return [...(await world.database.differences()), ...(await logFaults(world))];
  });
}

/** The settler's credential in other hands, the settler's database known, and a buyer in league. */
async function proveThief(world: World, goods: Goods, short: boolean, scores: Scorecard): Promise<void> {
  const sold = await settled(world, goods);
  const thief = await Thief.at(world, 'channel-settler');
  try {
    const before = linesIn(signingLogOf(world)).length;
    await scores.run('a thief asks for settlements just beside the one that was signed', () =>
      refusedFaults(thief, signerSettlement, refusedSettlements(sold)),
    );
    await scores.run('… for children', () => refusedFaults(thief, signerChild, refusedChildren(sold)));
    await scores.run('… for sweeps', () => refusedFaults(thief, signerSweep, refusedSweeps(sold)));
    await scores.run('… with what is no order', () => malformedFaults(thief, sold));
    await scores.run('… and none of it made a line', () => {
      const more = linesIn(signingLogOf(world)).length - before;
      return Promise.resolve(more === 0 ? [] : [`${more} lines were written`]);
    });
    await scores.run('the same order again gets the same answer, and no line', async () => {
      const again = await thief.ask(signerSettlement, settlementOf(sold));
      const txid = typeof again !== 'string' && again.given ? again.txid : String(again);
      const { txid: was } = linesIn(signingLogOf(world)).findLast(({ path }) => path === nameOf(sold)) ?? {};
      return txid === was ? [] : [`signed was ${was}, and then ${txid}`];
    });
    await scores.run('two channels at once for one key: one is signed', () => rivalFaults(thief, sold, UNUSED_INDEX));
    await scores.run('… for a key of a channel that is open: its first checkpoint has bound it', () =>
      openKeyFaults(world, thief, goods, sold),
    );
    await scores.run('what is given pays the operator’s wallet or ourselves', () => destinationFaults(thief, sold));
    await scores.run('a day’s fees and no more', () => budgetFaults(thief, sold, UNUSED_INDEX + 1));
    await scores.run('so many orders in a time and no more', () => rateFaults(thief, sold, short));
    await scores.run('every refusal is in the signer’s output, with its code', () => thief.loggedFaults());
  } finally {
    await thief.close();
  }
}

const nameOf = ({ path: { epoch, index } }: Sold): string => `${epoch}/${index}`;

/** A sale to its end. */
async function settled(world: World, goods: Goods): Promise<Sold> {
  const buyer = await sellTo(world, goods);
  // Ends that reach the settler later are settled by the look that follows.
  await finishChannels(world);
  const faults = await channelFaults(world, buyer, { sellerDied: false });
  if (faults.length > 0) throw new Error(faults.join('; '));
  return soldChannel(world, buyer);
}

async function refusedFaults<Q extends z.ZodType, A extends z.ZodType<{ readonly given: boolean }>>(
  thief: Thief,
  contract: RequestContract<Q, A>,
  orders: readonly (readonly [string, z.output<Q>, string])[],
): Promise<string[]> {
  const faults: string[] = [];
  for (const [what, order, code] of orders) {
    const answer = await thief.ask(contract, order);
    if (answer !== code) faults.push(`${what}: not ${code}, but ${typeof answer === 'string' ? answer : 'signed'}`);
  }
  return faults;
}

/** The intake, a node, the market, and somebody with the signer's own credential ask for what the settler could get. */
async function unheardFaults(world: World, goods: Goods): Promise<string[]> {
  const sold = await settled(world, goods);
  const names = ['channel-intake', 'node-1', 'market-api', 'channel-signer'];
  const heard = await Promise.all(
    names.map(async (name) => {
      const thief = await Thief.at(world, name);
      const answers = await Promise.all([
        thief.ask(signerSettlement, settlementOf(sold), UNHEARD_MS),
        thief.ask(signerSweep, sweepOf(sold, 100n), UNHEARD_MS),
      ]);
      await thief.close();
      const isUnheard = answers.every((answer) => typeof answer === 'string' && answer.startsWith('bus_'));
      return isUnheard ? [] : [`${name} was answered`];
    }),
  );
  return heard.flat();
}
