import { extendedFrame } from '@seedfleet/interop';
import { MESSAGE_ID } from '@seedfleet/wire';
import type { HostileBuyer } from '../hostile-buyer.js';
import { ONE_PIECE } from '../hostile-buyer.js';

/** Buyers with a real channel who ask for too much. */

const CPU_SECONDS = 3;
const MEMORY_MIB = 64;
const FLOOD = 10_000;

const requestFlood: HostileBuyer = {
  name: 'request flood',
  bound: {
    pieces: ONE_PIECE,
    cpuSeconds: CPU_SECONDS,
    memoryMib: MEMORY_MIB,
    words: 'one piece, and closed at 16 open',
  },
  needsMoney: true,
  short: true,
  async act(ground) {
    const { link, share } = await ground.funded();
    link.ready(share.channel, share.contractKey.privateKey, []);
    link.request(...Array.from({ length: FLOOD }, (_, at) => at % ground.target.torrent.pieces));
    await ground.closed(link, 'the node to close on a flood of requests');
    return { note: `${FLOOD} requests in one write; closed` };
  },
};

const duplicateRequests: HostileBuyer = {
  name: 'duplicate requests',
  bound: {
    pieces: ONE_PIECE,
    cpuSeconds: CPU_SECONDS,
    memoryMib: MEMORY_MIB,
    words: 'one piece: a duplicate costs again',
  },
  needsMoney: true,
  short: true,
  async act(ground) {
    const { link, share } = await ground.funded();
    link.ready(share.channel, share.contractKey.privateKey, Array<number>(16).fill(0));
    await ground.settled(link);
    return { note: `the same piece 16 times; came ${link.received} time before a payment` };
  },
};

const indexOutOfRange: HostileBuyer = {
  name: 'index out of range',
  bound: { pieces: () => 0, cpuSeconds: 2 * CPU_SECONDS, memoryMib: MEMORY_MIB, words: 'no piece, and closed' },
  needsMoney: true,
  short: true,
  async act(ground) {
    for (const index of [ground.target.torrent.pieces, -1]) {
      const { link, share } = await ground.funded();
      link.ready(share.channel, share.contractKey.privateKey, []);
      const payload = Buffer.alloc(4);
      payload.writeInt32BE(index);
      link.link.write(extendedFrame(MESSAGE_ID.request_full_piece, payload));
      await ground.closed(link, `the node to close on piece ${index}`);
    }
    return { note: 'the piece after the last, and −1; closed' };
  },
};

export const REQUESTS = [requestFlood, duplicateRequests, indexOutOfRange];
