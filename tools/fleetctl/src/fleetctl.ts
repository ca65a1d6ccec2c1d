import { ApiClient } from './api-client.js';
import { OPTION_NAMES, readCommandLine } from './arguments.js';
import { listAlerts } from './commands/alerts.js';
import { listAudit } from './commands/audit.js';
import { closeChannel, listChannels, showBooks, showChannel } from './commands/channels.js';
import { showEvents } from './commands/events.js';
import { createKey, listKeys, revokeKey, rotateKey } from './commands/keys.js';
import { listNodes, listQuarantined, releaseNode, showFleet } from './commands/nodes.js';
import { cordonNode, previewPlacement, setReplicas, showPlacement, uncordonNode } from './commands/placement.js';
import { browseContent, cancelMaking, listMakings, makeTorrent } from './commands/making.js';
import { fetchTorrent, listMarket, listTiers, removeTier, setTier, showMarket, showTier } from './commands/market.js';
import { adviseOffer, bulkOffers, offerHistory, setOffer, showOffer } from './commands/offers.js';
import { costs, exportReport, revenueBy, revenueExplain, revenueSeries, revenueTotal } from './commands/reports.js';
import { showRevenue } from './commands/revenue.js';
import {
  addTorrent,
  changeTorrent,
  gradeTorrent,
  labelTorrent,
  listTorrents,
  moveTorrent,
  showTorrent,
} from './commands/torrents.js';
import { liftTakedown, listTakedowns, takeDown } from './commands/takedown.js';
import { showTreasury, sweepTreasury } from './commands/treasury.js';
import {
  addWebhook,
  changeWebhook,
  editWebhook,
  listDeliveries,
  listWebhooks,
  redeliver,
  removeWebhook,
  showWebhook,
  testWebhook,
} from './commands/webhooks.js';
import { completion } from './completion.js';
import type { Command } from './context.js';
import { Failure } from './failure.js';
import { createOutput } from './output.js';
import { findTarget } from './target.js';
import { USAGE, usageFor } from './usage.js';

const COMMANDS = new Map<string, Command>(
  Object.entries({
    'torrents add': addTorrent,
    'torrents make': makeTorrent,
    'torrents makings': listMakings,
    'torrents cancel': cancelMaking,
    content: browseContent,
    'torrents list': listTorrents,
    'torrents show': showTorrent,
    'torrents pause': changeTorrent('paused'),
    'torrents resume': changeTorrent('active'),
    'torrents remove': changeTorrent('removed'),
    'torrents move': moveTorrent,
    'torrents label': labelTorrent,
    'torrents tier': gradeTorrent,
    takedown: takeDown,
    'takedown list': listTakedowns,
    'takedown lift': liftTakedown,
    'offers set': setOffer,
    'offers bulk': bulkOffers,
    'offers advise': adviseOffer,
    'offers show': showOffer,
    'offers history': offerHistory,
    'channels list': listChannels,
    'channels show': showChannel,
    'channels books': showBooks,
    'channels close': closeChannel,
    revenue: showRevenue,
    'revenue by': revenueBy,
    'revenue total': revenueTotal,
    'revenue series': revenueSeries,
    'revenue explain': revenueExplain,
    export: exportReport,
    costs,
    'market list': listMarket,
    'market show': showMarket,
    'market fetch': fetchTorrent,
    'tiers list': listTiers,
    'tiers show': showTier,
    'tiers set': setTier,
    'tiers remove': removeTier,
    'treasury show': showTreasury,
    'treasury sweep': sweepTreasury,
    'nodes list': listNodes,
    'nodes quarantined': listQuarantined,
    'nodes release': releaseNode,
    'nodes cordon': cordonNode,
    'nodes uncordon': uncordonNode,
    'torrents replicas': setReplicas,
    placement: showPlacement,
    'placement preview': previewPlacement,
    fleet: showFleet,
    alerts: listAlerts,
    events: showEvents,
    audit: listAudit,
    'keys list': listKeys,
    'keys create': createKey,
    'keys revoke': revokeKey,
    'keys rotate': rotateKey,
    'webhooks list': listWebhooks,
    'webhooks show': showWebhook,
    'webhooks add': addWebhook,
    'webhooks change': editWebhook,
    'webhooks pause': changeWebhook('paused'),
    'webhooks resume': changeWebhook('active'),
    'webhooks remove': removeWebhook,
    'webhooks test': testWebhook,
    'webhooks deliveries': listDeliveries,
    'webhooks redeliver': redeliver,
  }),
);

/** Runs one command. Returns the exit code: 0 done, 1 failed, 2 usage. */
export async function runFleetctl(args: readonly string[]): Promise<number> {
  // A program that reads the output wants JSON; a person sees tables.
  const output = createOutput(args.includes('--json') || (!process.stdout.isTTY && !args.includes('--text')));
  try {
    const { words, options } = readCommandLine(args);
    if (options.help === true) {
      process.stdout.write(USAGE);
      return 0;
    }
    if (words[0] === 'completion') {
      process.stdout.write(completion(words[1], [...COMMANDS.keys(), 'completion'], OPTION_NAMES));
      return 0;
    }
    const { command, operands } = findCommand(words);
    await command({ api: new ApiClient(await findTarget(options)), options, operands, output });
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    output.failure(thrown);
    if (thrown.code === 'usage') process.stderr.write(`\n${usageFor(wordsOf(args))}`);
    return thrown.exitCode;
  }
}

/** The words of a command line that may be wrong in any way. */
function wordsOf(args: readonly string[]): readonly string[] {
  try {
    return readCommandLine(args).words;
  } catch {
    return [];
  }
}

function findCommand(words: readonly string[]): { command: Command; operands: readonly string[] } {
  for (const length of [2, 1]) {
    const command = COMMANDS.get(words.slice(0, length).join(' '));
    if (command !== undefined && words.length >= length) return { command, operands: words.slice(length) };
  }
  throw new Failure(
    'usage',
    words.length === 0 ? 'no command given' : `unknown command: ${words.slice(0, 2).join(' ')}`,
  );
}
