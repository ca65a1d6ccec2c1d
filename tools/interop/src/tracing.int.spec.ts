import { expect, inject, it } from 'vitest';
import { ReferenceDownload } from './buyer/download.js';
import { Floor, noise } from './testing/floor.js';
import { until } from './until.js';

const PIECE = 16_384;
const PIECES = 64;
const PRICE_SAT = 150;
const PAYMENTS = 20;

it('a sale is found by one id in the logs of every service, from the handshake to the burial', async () => {
  const floor = Floor.at(inject('fleetState'));
  try {
    const offer = { priceSat: String(PRICE_SAT) };
    const torrent = await floor.sell('traced.bin', noise(PIECES * PIECE, 31), PIECE, offer);
    const buyer = await floor.joined(torrent);
    const contract = await floor.contract([buyer]);
    await new ReferenceDownload(torrent, PAYMENTS).begin(floor.wallet, contract, [buyer]);
    await until('the pieces', () => buyer.payments === PAYMENTS && buyer.received > PAYMENTS, 30_000);
    buyer.link.destroy();
    const { channel } = contract.shares[0]!;
    const { id: channelId } = await floor.settles(torrent, channel, PAYMENTS);
    await floor.mine(5);
    const { saleId } = await floor.becomes(torrent, channel, 'buried');
    expect(channelId.startsWith(saleId)).toBe(true);

    /** What each line of a service's log says that has the id. */
    const told = (service: string): string[] =>
      floor
        .logOf(service)
        .split('\n')
        .filter((line) => line.includes(saleId))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .map(({ msg, label, to, state }) =>
          [msg, String(label ?? '').split(':')[0], to ?? state].filter(Boolean).join(' '),
        );
    const chain = ['chain news settlement stored', 'chain news settlement confirmed', 'chain news settlement buried'];
    await until('the news of the burial', () => chain.every((line) => told('chain-watcher').includes(line)), 30_000);
    expect(told('node-1')).toEqual([
      'peer speaks JoyStream',
      'channel opened',
      'funding announced',
      ...told('node-1').filter((line) => line === 'funding verdict'),
      'channel ended',
    ]);
    expect(told('channel-intake')).toEqual(
      expect.arrayContaining(['channel opened', 'funding verdict', 'channel closed by its node closing']),
    );
    expect(told('channel-settler')).toEqual(
      expect.arrayContaining(['channel moved settling', 'channel moved settled', 'channel moved buried']),
    );
    expect(told('chain-watcher')).toEqual(expect.arrayContaining(['chain news funding mempool', ...chain]));
    // Once, and not again with every block on top.
    expect(told('chain-watcher').filter((line) => line === 'chain news funding spent-confirmed')).toHaveLength(1);
  } finally {
    floor.close();
  }
});
