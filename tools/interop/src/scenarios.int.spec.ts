import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Torrent } from './bittorrent/torrent.js';
import { ReferenceDownload } from './buyer/download.js';
import { replay, saying } from './scenarios/replay.js';
import { scenarioContent, sellerScenarios, type Scenario } from './scenarios/script.js';
import { Floor } from './testing/floor.js';
import { until } from './until.js';

/**
 * What our node does otherwise than the reference here, by what the script does (the rules of tools/conformance say
 * why). Payments of the scripts are signed for the reference's key and a funding on no chain, so ours are never good.
 */
function isClosedByOurs({ steps, isClosed }: Scenario): boolean {
  const sent = steps.flatMap((step) => (step.kind === 'send' ? [step] : []));
  if (sent.some(({ what }) => what === 'js_payment')) return true;
  const handshakes = sent.filter(({ what }) => what === 'ext_handshake').map(({ bytes }) => Buffer.from(bytes));
  const repeats = handshakes.length > 1 && handshakes[0]?.equals(handshakes[1] ?? Buffer.alloc(0));
  const uninstallsNothing = handshakes[0]?.includes('js_buyi0e') === true;
  return isClosed && repeats !== true && !uninstallsNothing;
}

/** What was said before money was named; afterwards the reference serves unproven funding, and ours does not. */
function saidByReference({ steps }: Scenario): string[] {
  return steps.flatMap((step) =>
    step.kind === 'hear' && step.what.startsWith('js_') && step.what !== 'js_full_piece'
      ? [saying(step.what, step.payload)]
      : [],
  );
}

/** What the recorded buyers accept, and more of the price. */
const TERMS = { maxContractFeePerKb: 20_000n, maxLock: 5, maxPrice: 1_000n, minNumberOfSellers: 1 };

describe('the recorded scenarios, played to a live node', () => {
  const { name, content, pieceBytes } = scenarioContent();
  let floor: Floor;
  let torrent: Torrent;
  let pid: number;

  beforeAll(async () => {
    floor = Floor.at(inject('fleetState'));
    torrent = await floor.sell(name, content, pieceBytes, {
      priceSat: '1000',
      lockUnits: 1,
      settlementFeeSat: '500',
      minContractFeePerKbSat: '2000',
      maxSellers: 5,
    });
    pid = floor.pidOf('node-1');
  });
  afterAll(() => floor.close());

  it.concurrent.each(sellerScenarios().map((scenario) => [scenario.description, scenario] as const))(
    '%s',
    async (_, scenario) => {
      const opening = scenario.steps.find(({ what }) => what === 'bt_handshake');
      expect(opening?.kind === 'send' && Buffer.from(opening.bytes).includes(Buffer.from(torrent.infoHash))).toBe(true);
      const outcome = await replay(scenario, floor.node(1));
      expect(outcome).toEqual({
        said: saidByReference(scenario),
        isClosed: isClosedByOurs(scenario),
        freeBytes: 0,
      });
    },
  );

  it('leave the node as it was: it sells to an honest buyer', async () => {
    const buyer = await floor.joined(torrent, { terms: TERMS });
    const contract = await floor.contract([buyer], { feePerKbSat: 2_000n });
    const download = new ReferenceDownload(torrent);
    await download.begin(floor.wallet, contract, [buyer]);
    await until('the download', () => download.isComplete);
    expect(download.content.equals(content)).toBe(true);
    await floor.settles(torrent, contract.shares[0]!.channel, torrent.pieces);
    expect(floor.pidOf('node-1')).toBe(pid);
  });
});
