import { setTimeout as sleep } from 'node:timers/promises';
import { PLAIN, until, type BuyerLink } from '@seedfleet/interop';
import type { HostileBuyer } from '../hostile-buyer.js';
import { NO_PIECE } from '../hostile-buyer.js';
import type { Ground } from '../world/ground.js';

/** Buyers that come in numbers, and never pay. */

const TEST_BYTES = 2_000_000;
/** Per /24 and hour. */
const TESTS_PER_SUBNET = 20;
const PARALLEL = 16;
const JOINS = 10_000;
/** Points until a /24 is refused, over the points of an abandoned join, and those under way. */
const MAX_CHANNELS = 400;
const READERS = 4;

/** Runs jobs, so many at a time. */
async function inTurn(count: number, parallel: number, job: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

/** The first terms, or undefined when the node hung up before. */
async function offered(link: BuyerLink): Promise<BuyerLink | undefined> {
  await until('terms, or a refusal', () => link.isClosed || link.offers.length > 0, 30_000).catch(() => undefined);
  return link.offers.length > 0 && !link.isClosed ? link : undefined;
}

const speedTestFlood: HostileBuyer = {
  name: 'speed-test flood',
  bound: {
    pieces: NO_PIECE,
    testBytes: TESTS_PER_SUBNET * TEST_BYTES,
    cpuSeconds: 6,
    memoryMib: 64,
    words: '20 tests of 2 MB per /24 and hour, two per address',
  },
  needsMoney: false,
  needsLimits: true,
  short: true,
  async act(ground) {
    const asked = Math.ceil(120 * ground.scale);
    let answered = 0;
    await inTurn(asked, PARALLEL, async (at) => {
      const link = await offered(ground.buyer(1 + Math.floor(at / 3), { invites: false }));
      if (link === undefined) return;
      link.link.send({ type: 'speedTestRequest', size: TEST_BYTES });
      const came = (): boolean => link.isClosed || link.link.heard.includes('speedTestPayload');
      await until('an answer', came, 3_000).catch(() => undefined);
      if (link.link.heard.includes('speedTestPayload')) answered += 1;
      link.link.destroy();
    });
    return {
      testBytes: answered * TEST_BYTES,
      note: `${asked} connections of one /24 asked, ${answered} were answered`,
    };
  },
};

/** Joins and gives up, again and again, on one connection; answers how often it was joined. */
async function joinAndLeave(ground: Ground, host: number, times: number): Promise<number> {
  const link = await offered(ground.buyer(host, { invites: false }));
  let joins = 0;
  for (let at = 0; link !== undefined && at < times && !link.isClosed; at++) {
    link.link.send({ type: 'join_contract', index: link.offers.at(-1)!.index });
    const heard = (): number => link.link.heard.filter((name) => name === 'joining_contract').length;
    await until('an answer to the join', () => link.isClosed || heard() > joins, 10_000).catch(() => undefined);
    if (heard() === joins) break;
    joins = heard();
    // A mode message ends the join; the next one may follow on the same connection.
    link.link.send({ type: 'buy', terms: link.options.terms });
  }
  link?.link.destroy();
  return joins;
}

const joinNeverReady: HostileBuyer = {
  name: 'joins and is never ready',
  bound: {
    pieces: NO_PIECE,
    cpuSeconds: 15,
    memoryMib: 64,
    words: `${MAX_CHANNELS} channels per /24, then slower, then refused`,
  },
  needsMoney: false,
  needsLimits: true,
  short: false,
  async act(ground) {
    const wanted = Math.ceil(JOINS * ground.scale);
    let joins = 0;
    // Every address joins until it is slowed down, then the next one goes on.
    await inTurn(120, PARALLEL, async (at) => {
      const taken = joins < wanted ? await joinAndLeave(ground, 1 + at, 12) : 0;
      joins += taken;
    });
    const faults = joins > MAX_CHANNELS ? [`${joins} channels were opened`] : [];
    return { faults, note: `${joins} of ${wanted} joins were taken before the subnet was refused` };
  },
};

const slowReader: HostileBuyer = {
  name: 'slow reader',
  bound: { pieces: NO_PIECE, cpuSeconds: 20, memoryMib: 64, words: 'closed once 256 KiB of answers wait' },
  needsMoney: false,
  short: false,
  async act(ground) {
    const burst = Buffer.concat(Array<Uint8Array>(4_000).fill(PLAIN.request(0, 0, 16_384)));
    let writtenBytes = 0;
    await inTurn(READERS, READERS, async (at) => {
      const link = await offered(ground.buyer(1 + at, { invites: false }));
      if (link === undefined) throw new Error('the node hung up at once');
      link.link.socket.pause();
      const deadline = performance.now() + 120_000;
      while (!link.isClosed && performance.now() < deadline) {
        link.link.write(burst);
        writtenBytes += burst.length;
        // Its own writes must leave, or this program would hold what the node does not.
        await until('room to write', () => link.isClosed || link.link.socket.writableLength === 0, 120_000);
      }
      if (!link.isClosed) throw new Error('still connected after two minutes without reading');
    });
    return {
      note: `${READERS} connections wrote ${(writtenBytes / 1e6).toFixed(1)} MB of requests and read nothing; closed`,
    };
  },
};

const slowHandshake: HostileBuyer = {
  name: 'slow handshake',
  bound: { pieces: NO_PIECE, cpuSeconds: 5, memoryMib: 64, words: '8 open at once per address, 10 s each' },
  needsMoney: false,
  needsLimits: true,
  short: false,
  async act(ground) {
    const links = Array.from({ length: 64 }, () => ground.dial());
    const trickle = setInterval(() => {
      for (const link of links) link.write(Uint8Array.of(0x13));
    }, 4_000);
    await sleep(2_000);
    const open = links.filter(({ isClosed }) => !isClosed).length;
    await until('every slow handshake to be closed', () => links.every(({ isClosed }) => isClosed), 30_000);
    clearInterval(trickle);
    return {
      faults: open > 8 ? [`${open} were open at once`] : [],
      note: `64 connections; ${open} open after 2 s, none in the end`,
    };
  },
};

const handshakeFlood: HostileBuyer = {
  name: 'handshake flood',
  bound: { pieces: NO_PIECE, cpuSeconds: 12, memoryMib: 64, words: '400 at once per address, then one in 5 s' },
  needsMoney: false,
  needsLimits: true,
  short: true,
  async act(ground) {
    const total = Math.ceil(4_000 * ground.scale);
    let taken = 0;
    await inTurn(total, PARALLEL, async () => {
      const link = ground.buyer(1, { invites: false });
      await until('a handshake or a refusal', () => link.isClosed || link.link.remoteHandshake !== undefined, 30_000);
      if (link.link.remoteHandshake !== undefined) taken += 1;
      link.link.destroy();
    });
    const faults = taken > 450 ? [`${taken} handshakes of one address were taken`] : [];
    return { faults, note: `${taken} of ${total} connections of one address got a handshake` };
  },
};

export const FLOODS = [speedTestFlood, joinNeverReady, slowReader, slowHandshake, handshakeFlood];
