import { setTimeout as sleep } from 'node:timers/promises';
import { extendedFrame, until } from '@seedfleet/interop';
import type { HostileBuyer } from '../hostile-buyer.js';
import { NO_PIECE } from '../hostile-buyer.js';

/** Buyers that speak the protocol badly, or too much. */

const KIB = 1024;

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** What no client sends; the node must hang up on each. */
const BROKEN: Readonly<Record<string, Uint8Array>> = {
  'a frame of 4 GiB': Buffer.concat([u32(0xffff_ffff), Buffer.of(21)]),
  'an extended message of 64 MiB': Buffer.concat([u32(64 * KIB * KIB), Buffer.of(20, 69)]),
  'an extended handshake above 64 KiB': Buffer.concat([u32(64 * KIB + 3), Buffer.of(20, 0)]),
  'a block nobody asked for': Buffer.concat([u32(9 + 16 * KIB), Buffer.of(7), Buffer.alloc(8)]),
  'a request of twelve bytes': Buffer.concat([u32(12), Buffer.of(6), Buffer.alloc(11)]),
  'a have of a piece that is not': Buffer.concat([u32(5), Buffer.of(4), u32(0xffff_fffe)]),
  'a bitfield of one byte': Buffer.concat([u32(2), Buffer.of(5, 0xff)]),
  'an extended message without its id': Buffer.concat([u32(1), Buffer.of(20)]),
  'a control message of 300 bytes': extendedFrame(60, Buffer.alloc(300)),
  'a truncated ready': extendedFrame(65, Buffer.alloc(20)),
};

const brokenFrames: HostileBuyer = {
  name: 'oversized and truncated frames',
  bound: { pieces: NO_PIECE, cpuSeconds: 4, memoryMib: 64, words: 'closed at the header; at most 64 KiB held' },
  needsMoney: false,
  short: true,
  async act(ground) {
    const faults: string[] = [];
    let host = 1;
    for (const [what, bytes] of Object.entries(BROKEN)) {
      const link = ground.buyer(host++, { invites: false });
      await until('the session', () => link.offers.length > 0 || link.isClosed, 30_000);
      link.link.write(bytes);
      await until('the node to hang up', () => link.isClosed, 10_000).catch(() => faults.push(`not closed: ${what}`));
    }
    // Cut off in the middle: nothing to answer, and nothing may be kept.
    for (const bytes of [u32(13).subarray(0, 3), Buffer.concat([u32(60_000), Buffer.of(20, 0, 1, 2)])]) {
      const link = ground.buyer(host++, { invites: false });
      await until('the session', () => link.offers.length > 0 || link.isClosed, 30_000);
      link.link.write(bytes);
      link.link.end();
      await until('the end', () => link.isClosed, 10_000).catch(() => faults.push('not closed after half a frame'));
    }
    return { faults, note: `${Object.keys(BROKEN).length} broken frames closed, 2 half ones forgotten` };
  },
};

const modeFlapping: HostileBuyer = {
  name: 'mode flapping',
  bound: { pieces: NO_PIECE, cpuSeconds: 6, memoryMib: 64, words: 'one `sell` per change' },
  needsMoney: false,
  short: true,
  async act(ground) {
    const changes = Math.ceil(20_000 * ground.scale);
    const link = ground.buyer(1, { invites: false });
    await until('terms', () => link.offers.length > 0, 30_000);
    const { terms } = link.options;
    for (let at = 0; at < changes && !link.isClosed; at += 200) {
      for (let one = 0; one < 100; one++) link.link.send({ type: 'observe' }, { type: 'buy', terms });
      await until('room to write', () => link.isClosed || link.link.socket.writableLength === 0, 30_000);
    }
    await sleep(500);
    const { length } = link.offers;
    const faults = length > changes / 2 + 2 ? [`${length} offers for ${changes} changes`] : [];
    return { faults, note: `${changes} changes, ${length} offers; ${link.isClosed ? 'closed' : 'still connected'}` };
  },
};

const reinstallLoop: HostileBuyer = {
  name: 'uninstall and re-install loop',
  bound: { pieces: NO_PIECE, cpuSeconds: 6, memoryMib: 64, words: 'one `sell` per install, no timer left behind' },
  needsMoney: false,
  short: true,
  async act(ground) {
    const rounds = Math.ceil(5_000 * ground.scale);
    const link = ground.buyer(1, { invites: false });
    await until('terms', () => link.offers.length > 0, 30_000);
    for (let at = 0; at < rounds && !link.isClosed; at++) {
      link.stop();
      link.start();
      if (at % 50 === 0) await until('room', () => link.isClosed || link.link.socket.writableLength === 0, 30_000);
    }
    await sleep(500);
    const { length } = link.offers;
    const faults = length > rounds + 2 ? [`${length} offers for ${rounds} installs`] : [];
    return { faults, note: `${rounds} rounds, ${length} offers; ${link.isClosed ? 'closed' : 'still connected'}` };
  },
};

export const TALKING = [brokenFrames, modeFlapping, reinstallLoop];
