import type { HostileBuyer } from '../hostile-buyer.js';
import { NO_PIECE, ONE_PIECE } from '../hostile-buyer.js';
import { until } from '@seedfleet/interop';

/** Buyers with a real channel who stop paying, or pay what is not owed. */

const FIRST_PIECES = [0, 1, 2, 3];
/** The window never grows past this. */
const MAX_WINDOW = 4;
/** So many payments widen it by one piece. */
const PAYMENTS_PER_PIECE = 4;
const CPU_SECONDS = 5;
const MEMORY_MIB = 64;
/** Smallest output that is relayed. */
const DUST_SAT = 546n;
const ATTEMPTS = 4;

const stopAtWindow: HostileBuyer = {
  name: 'stops at the window',
  bound: { pieces: () => MAX_WINDOW, cpuSeconds: CPU_SECONDS, memoryMib: MEMORY_MIB, words: 'the window: 4 pieces' },
  needsMoney: true,
  short: false,
  async act(ground) {
    const { link, share } = await ground.funded();
    let next = 4;
    link.onPiece = () => {
      if (link.payments >= 20) return;
      link.pay();
      link.request(next++ % ground.target.torrent.pieces);
    };
    link.ready(share.channel, share.contractKey.privateKey, FIRST_PIECES);
    await until('twenty payments', () => link.payments >= 20, 30_000);
    link.request(...Array.from({ length: 10 }, (_, piece) => piece % ground.target.torrent.pieces));
    await ground.settled(link);
    return { note: `paid ${link.payments} pieces to widen the window, then took ${link.received - link.payments}` };
  },
};

const stopBeforeKMin: HostileBuyer = {
  name: 'stops just before kMin',
  bound: {
    pieces: () => ATTEMPTS * MAX_WINDOW,
    cpuSeconds: 2 * CPU_SECONDS,
    memoryMib: MEMORY_MIB,
    words: 'per channel the window, which four payments widen by one; one channel at a time per subnet',
  },
  needsMoney: true,
  needsLimits: true,
  short: false,
  async act(ground) {
    let uncollectedSat = 0n;
    let besides = 0;
    const faults: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { link, share } = await ground.funded(1);
      const { priceSat, settlementFeeSat } = share.channel;
      const below = Number((DUST_SAT + settlementFeeSat) / priceSat);
      let next = 4;
      link.onPiece = () => {
        if (link.payments >= below) return;
        link.pay();
        link.request(next++ % ground.target.torrent.pieces);
      };
      link.ready(share.channel, share.contractKey.privateKey, FIRST_PIECES);
      await until(`${below} payments`, () => link.payments >= below, 30_000);
      if (attempt === 0) {
        // From another port and address of the same subnet while the first is still below kMin.
        const other = await ground.funded(2);
        other.link.ready(other.share.channel, other.share.contractKey.privateKey, FIRST_PIECES);
        await ground.settled(other.link);
        besides = other.link.received;
      }
      await ground.settled(link);
      uncollectedSat += BigInt(link.payments) * priceSat;
      const window = Math.min(MAX_WINDOW, 1 + Math.floor(below / PAYMENTS_PER_PIECE));
      const unpaid = link.received - link.payments;
      if (unpaid > window) faults.push(`${unpaid} pieces unpaid where the window is ${window}`);
      link.link.destroy();
    }
    if (besides > 0) faults.push(`a second channel of the subnet got ${besides} pieces`);
    const note = `${ATTEMPTS} channels; ${uncollectedSat} sat below kMin, which the buyer spends and nobody keeps`;
    return { faults, note };
  },
};

const payWithoutRequest: HostileBuyer = {
  name: 'pays without request',
  bound: { pieces: NO_PIECE, cpuSeconds: CPU_SECONDS, memoryMib: MEMORY_MIB, words: 'no piece, and closed' },
  needsMoney: true,
  short: true,
  async act(ground) {
    const { link, share } = await ground.funded();
    link.ready(share.channel, share.contractKey.privateKey, []);
    link.pay();
    await ground.closed(link, 'the node to close on a payment for nothing');
    return { note: 'a valid first payment before any request; closed' };
  },
};

const wrongNetwork: HostileBuyer = {
  name: 'wrong network',
  bound: { pieces: ONE_PIECE, cpuSeconds: CPU_SECONDS, memoryMib: MEMORY_MIB, words: 'one piece, no penalty' },
  needsMoney: true,
  short: true,
  async act(ground) {
    const network = ground.target.network.endsWith('bitcoin_cash') ? 'regtest' : 'regtest_bitcoin_cash';
    const { link, share } = await ground.funded(1, { network });
    link.onPiece = () => link.pay();
    link.ready(share.channel, share.contractKey.privateKey, FIRST_PIECES);
    await ground.closed(link, 'the node to close on a payment of another chain');
    const again = await ground.joined(1).then(
      () => true,
      () => false,
    );
    return {
      unpaidPieces: link.received,
      faults: again ? [] : ['its address is not served any more'],
      note: `payments signed for another chain; ${link.received} piece, served again at once`,
    };
  },
};

export const PAYING = [stopAtWindow, stopBeforeKMin, payWithoutRequest, wrongNetwork];
