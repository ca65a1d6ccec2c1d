import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFleet } from '@seedfleet/fleet';
import { Market, ReferenceWallet, torrentOf, until } from '@seedfleet/interop';
import type { Target } from './target.js';

const PIECES = 400;
const PIECE_BYTES = 32_768;
const ON_SALE_MS = 60_000;

export interface OwnTarget {
  readonly target: Target;
  /** The fleet's state folder. */
  readonly stateDir: string;
  stop(): Promise<void>;
}

/** Two nodes of a fleet of our own on regtest, whose limits hold for this machine too, and a torrent on sale. */
export async function bringTarget(): Promise<OwnTarget> {
  const folder = mkdtempSync(join(tmpdir(), 'seedfleet-hostile-'));
  const limited = (name: string): Record<string, string> =>
    name.startsWith('node-') || name.startsWith('channel-') ? { LIMIT_LOCAL_ADDRESSES: 'true' } : {};
  const fleet = await startFleet({
    stateDir: join(folder, 'state'),
    nodes: 2,
    mine: false,
    logLevel: 'warn',
    serviceEnv: limited,
  });
  const stop = async (): Promise<void> => {
    await fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const content = Buffer.alloc(PIECES * PIECE_BYTES);
    for (let at = 0; at < content.length; at += 4) content.writeUInt32BE(Math.imul(at, 2_654_435_761) >>> 0, at);
    const torrent = torrentOf('contested.bin', content, PIECE_BYTES);
    writeFileSync(join(folder, torrent.name), content);
    const market = new Market(fleet.run.marketApi);
    await market.add(torrent.file, join(folder, torrent.name));
    await market.offer(torrent.infoHashHex, { priceSat: '150' });
    const onSale = async (): Promise<boolean> => (await market.nodesOnSale(torrent.infoHashHex)) === 2;
    await until('the torrent on sale at both nodes', onSale, ON_SALE_MS, 200);
    const [node, other] = fleet.run.nodes;
    if (node === undefined) throw new Error('the fleet has no node');
    const { httpPort } = JSON.parse(readFileSync(fleet.state.file('services', 'node-1.ready.json'), 'utf8')) as {
      httpPort: number;
    };
    const { rpcUrl } = fleet.run.bitcoin;
    const target: Target = {
      address: node.peerAddress,
      otherAddress: other?.peerAddress,
      network: 'regtest',
      torrent,
      money: { wallet: new ReferenceWallet(rpcUrl), rpcUrl },
      metricsUrl: `http://127.0.0.1:${httpPort}/metrics`,
      limitsHold: true,
    };
    return { target, stateDir: join(folder, 'state'), stop };
  } catch (failure) {
    await stop();
    throw failure;
  }
}
