import { expect, it } from 'vitest';
import { parseMagnet } from './magnet.js';

const HASH = '08ada5a7a6183aae1e09d831df6748d566095a10';

it('reads hash, name, peers and trackers', () => {
  const link = `magnet:?xt=urn:btih:${HASH.toUpperCase()}&dn=A%20film&x.pe=1.2.3.4%3A7881&x.pe=%5B%3A%3A1%5D:5&x.pe=none&tr=udp%3A%2F%2Ft%3A1`;
  expect(parseMagnet(link)).toEqual({
    infoHash: HASH,
    name: 'A film',
    peers: [
      { host: '1.2.3.4', port: 7881 },
      { host: '::1', port: 5 },
    ],
    trackers: ['udp://t:1'],
  });
});

it('reads base 32', () => {
  expect(parseMagnet('magnet:?xt=urn:btih:BCW2LJ5GDA5K4HQJ3AY56Z2I2VTASWQQ')?.infoHash).toBe(HASH);
});

it.each([
  '',
  'magnet:',
  'magnet:?dn=x',
  `magnet:?xt=urn:btmh:1220${HASH}`,
  `magnet:?xt=urn:btih:${HASH}0`,
  `http://x/${HASH}`,
])('takes %j for none', (text) => expect(parseMagnet(text)).toBeUndefined());
