import { mine, callRpc, walletUrl } from '@seedfleet/fleet';
import { frameOf } from '@seedfleet/interop';
import type { HostileBuyer } from '../hostile-buyer.js';
import { NO_PIECE, NotJudged } from '../hostile-buyer.js';

/** Buyers whose funding is not what they say. */

const FIRST_PIECES = [0, 1, 2, 3];
const CPU_SECONDS = 3;
const MEMORY_MIB = 64;

const falseOutpoint: HostileBuyer = {
  name: 'false outpoint',
  bound: { pieces: NO_PIECE, cpuSeconds: CPU_SECONDS, memoryMib: MEMORY_MIB, words: 'no piece' },
  needsMoney: true,
  short: true,
  async act(ground) {
    const link = await ground.joined();
    const { shares } = await ground.contract(link);
    // The transaction exists nowhere but here.
    link.ready(shares[0]!.channel, shares[0]!.contractKey.privateKey, FIRST_PIECES);
    await ground.settled(link);
    return { note: `named a transaction that nobody has; ${link.isClosed ? 'closed' : 'left waiting'}` };
  },
};

const underfunded: HostileBuyer = {
  name: 'underfunded',
  bound: { pieces: NO_PIECE, cpuSeconds: CPU_SECONDS, memoryMib: MEMORY_MIB, words: 'no piece, and closed' },
  needsMoney: true,
  short: true,
  async act(ground) {
    const { link, share } = await ground.funded(1, { fundedSat: 5_000n });
    link.ready(share.channel, share.contractKey.privateKey, FIRST_PIECES);
    await ground.closed(link, 'the node to close an underfunded channel');
    return { note: `said ${share.channel.fundingValueSat} sat, put 5,000 into the output; closed` };
  },
};

/** Allowance of policy for a channel whose funding is unconfirmed, in pieces: 2 %, at most 32 MiB, at least one. */
function zeroConfPieces({
  torrent,
}: {
  readonly torrent: { readonly pieces: number; readonly pieceLengthBytes: number };
}) {
  const byShare = Math.floor(torrent.pieces / 50);
  const byBytes = Math.floor((32 * 1024 * 1024) / torrent.pieceLengthBytes);
  return Math.max(1, Math.min(byShare, byBytes));
}

const replaced: HostileBuyer = {
  name: 'replaced funding',
  bound: {
    pieces: zeroConfPieces,
    cpuSeconds: CPU_SECONDS,
    memoryMib: MEMORY_MIB,
    words: 'the allowance before a confirmation: 2 % of the pieces, at most 32 MiB, at least one',
  },
  needsMoney: true,
  short: false,
  async act(ground) {
    const { wallet, rpcUrl } = ground.money;
    const link = await ground.joined();
    const contract = await ground.contract(link);
    await wallet.broadcast(contract.transaction);
    // It pays, with a channel that will never exist.
    let received = 0;
    let next = 4;
    link.onPiece = () => {
      received += 1;
      link.pay();
      link.request(next++ % ground.target.torrent.pieces);
    };
    link.ready(contract.shares[0]!.channel, contract.shares[0]!.contractKey.privateKey, FIRST_PIECES);
    // No conflict seen for three seconds: only then anything is served before a confirmation.
    await ground.settled(link, 6_000);
    const instead = wallet.build([], { coin: contract.transaction.coin, feePerKbSat: 20_000n });
    const miner = (await callRpc(walletUrl(rpcUrl), 'getnewaddress', [])) as string;
    await callRpc(rpcUrl, 'generateblock', [miner, [instead.hex]]).catch((refused: unknown) => {
      if (!String(refused).includes('missingorspent')) throw refused;
      throw new NotJudged(
        'the fleet mines by itself and confirmed the funding first; --no-mine leaves that to this program',
      );
    });
    await mine(rpcUrl, 1);
    const before = received;
    await ground.settled(link, 4_000);
    return {
      unpaidPieces: received,
      faults: received > before ? ['it was served after its funding had been replaced'] : [],
      note: `${received} pieces before a mined spend replaced its funding; then ${link.isClosed ? 'closed' : 'none'}`,
    };
  },
};

const reusedOutpoint: HostileBuyer = {
  name: 'reused outpoint on two nodes',
  bound: { pieces: NO_PIECE, cpuSeconds: CPU_SECONDS, memoryMib: MEMORY_MIB, words: 'the second node: no piece' },
  needsMoney: true,
  short: false,
  async act(ground) {
    const { otherAddress, address } = ground.target;
    const { link: first, share } = await ground.funded(1);
    first.onPiece = () => first.pay();
    first.ready(share.channel, share.contractKey.privateKey, FIRST_PIECES);
    const second = await ground.joined(2, { address: otherAddress ?? address });
    const mirrored = await ground.contract(second);
    const { fundingOutpoint } = share.channel;
    const channel = { ...mirrored.shares[0]!.channel, fundingOutpoint };
    second.ready(channel, mirrored.shares[0]!.contractKey.privateKey, FIRST_PIECES);
    await ground.settled(second);
    await ground.settled(first, 500);
    const faults = second.received > 0 ? [`the second node gave ${second.received} pieces`] : [];
    const other = otherAddress === undefined ? 'the same node' : 'another node';
    return { faults, note: `one output shown to two sellers; ${other} gave ${second.received} pieces` };
  },
};

const offCurve: HostileBuyer = {
  name: 'off-curve keys',
  bound: { pieces: NO_PIECE, cpuSeconds: CPU_SECONDS, memoryMib: MEMORY_MIB, words: 'no piece, and closed' },
  needsMoney: false,
  short: true,
  async act(ground) {
    const noPoint = new Uint8Array(33).fill(0xff);
    noPoint[0] = 2;
    const link = await ground.joined();
    const outpoint = { txid: new Uint8Array(32).fill(1), index: 0 };
    link.link.write(
      frameOf({ type: 'ready', value: 60_000n, outpoint, buyerPublicKey: noPoint, buyerKeyHash: new Uint8Array(20) }),
    );
    await ground.closed(link, 'the node to close on a key that is no point');
    return { note: 'x above the field prime; closed' };
  },
};

export const FUNDING = [falseOutpoint, underfunded, replaced, reusedOutpoint, offCurve];
