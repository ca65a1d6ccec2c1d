import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callRpc, startFleet, type Network, type RunningFleet } from '@seedfleet/fleet';
import { toHex, type ChannelParameters } from '@seedfleet/payment-channel';
import { torrentOf, type Torrent } from '../bittorrent/torrent.js';
import { BuyerLink, desktopTerms, type BuyerOptions } from '../buyer/buyer-link.js';
import { contractFor, type Contract, type Deviation } from '../buyer/contract.js';
import { ReferenceWallet } from '../chain/reference-wallet.js';
import { settlementDifference } from '../chain/settlement-check.js';
import { Market, type ChannelRow, type Offer } from '../fleet/market.js';
import { until } from '../until.js';

const ON_SALE_MS = 30_000;
const SETTLED_MS = 30_000;
const COIN_SAT = 1_000_000n;

type Run = RunningFleet['run'];

export interface FloorOptions {
  readonly network: Network;
  readonly nodes: number;
}

/** A whole fleet of its own with things on sale: what the cases of this tool trade on. */
export class Floor {
  private readonly folder: string;

  private constructor(
    readonly network: Network,
    readonly run: Run,
    readonly market: Market,
    readonly wallet: ReferenceWallet,
    private readonly fleet: RunningFleet | undefined,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), 'seedfleet-content-'));
  }

  /** Starts a fleet; or, for work on the cases, uses the one whose state folder INTEROP_STATE names. */
  static async open({ network, nodes }: FloorOptions): Promise<Floor> {
    const given = process.env['INTEROP_STATE'];
    let fleet: RunningFleet | undefined;
    let run: Run;
    if (given !== undefined) {
      run = JSON.parse(readFileSync(join(given, 'run.json'), 'utf8')) as Run;
    } else {
      const stateDir = mkdtempSync(join(tmpdir(), 'seedfleet-interop-'));
      fleet = await startFleet({ stateDir, network, nodes, env: {}, logLevel: 'info' });
      run = fleet.run;
    }
    const market = new Market(run.marketApi);
    return new Floor(network, run, market, new ReferenceWallet(run.bitcoin.rpcUrl), fleet);
  }

  async close(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    if (this.fleet === undefined) return;
    await this.fleet.stop();
    rmSync(this.fleet.state.path, { recursive: true, force: true });
  }

  /** Address of node 1, 2, … */
  node(number: number): string {
    const node = this.run.nodes[number - 1];
    if (node === undefined) throw new Error(`there is no node ${number}`);
    return node.peerAddress;
  }

  /** Puts content on sale at every node. */
  async sell(name: string, content: Uint8Array, pieceLengthBytes: number, offer: Offer): Promise<Torrent> {
    const torrent = torrentOf(name, content, pieceLengthBytes);
    mkdirSync(this.folder, { recursive: true });
    const path = join(this.folder, name);
    writeFileSync(path, content);
    await this.market.add(torrent.file, path);
    await this.market.offer(torrent.infoHashHex, offer);
    const nodes = this.run.nodes.length;
    await until(
      `${name} on sale at ${nodes} nodes`,
      async () => (await this.market.nodesOnSale(torrent.infoHashHex)) === nodes,
      ON_SALE_MS,
      200,
    );
    return torrent;
  }

  buyer(torrent: Torrent, options: Partial<BuyerOptions> = {}): BuyerLink {
    return new BuyerLink({ torrent, address: this.node(1), terms: desktopTerms(1_000n), ...options });
  }

  /** A buyer that has been joined. */
  async joined(torrent: Torrent, options: Partial<BuyerOptions> = {}): Promise<BuyerLink> {
    const buyer = this.buyer(torrent, options);
    await until(
      'joining_contract',
      () => {
        if (buyer.isClosed) throw new Error(`closed before it joined, after ${buyer.link.heard.join(' ')}`);
        return buyer.joined;
      },
      10_000,
    );
    return buyer;
  }

  /** A contract with the sellers of these connections, as this fleet's network wants it unless told otherwise. */
  async contract(
    buyers: readonly BuyerLink[],
    deviation: Deviation & { readonly network?: Network } = {},
  ): Promise<Contract> {
    await this.wallet.ensure(1, COIN_SAT);
    const sellers = buyers.map(({ joined }) => {
      if (joined === undefined) throw new Error('not joined');
      return joined;
    });
    const pieces = buyers[0]?.options.torrent.pieces ?? 0;
    return contractFor(this.wallet, deviation.network ?? this.network, sellers, pieces, deviation);
  }

  /** The seller's channel of a funding output, as the operator sees it. */
  async channel(torrent: Torrent, { fundingOutpoint }: ChannelParameters): Promise<ChannelRow | undefined> {
    const rows = await this.market.channels(torrent.infoHashHex);
    const txid = toHex(fundingOutpoint.txid);
    return rows.find((row) => row.fundingTxid === txid && row.fundingVout === fundingOutpoint.index);
  }

  /** Waits until the operator sees the channel in one of these states. */
  async becomes(torrent: Torrent, channel: ChannelParameters, ...states: readonly string[]): Promise<ChannelRow> {
    let seen: ChannelRow | undefined;
    return until(
      `channel in state ${states.join(' or ')}`,
      async () => {
        seen = await this.channel(torrent, channel);
        return seen !== undefined && states.includes(seen.state) ? seen : undefined;
      },
      SETTLED_MS,
      150,
    ).catch((thrown: unknown) => {
      throw new Error(`${String(thrown)}; it is ${JSON.stringify(seen)}`);
    });
  }

  /** Waits until settlement k is mined, and compares it with the prescribed bytes. */
  async settles(torrent: Torrent, channel: ChannelParameters, k: number, state = 'settled'): Promise<ChannelRow> {
    const row = await this.becomes(torrent, channel, state, 'buried');
    if (row.k !== k) throw new Error(`settled for ${row.k} payments instead of ${k}`);
    const mined = (await this.rpc('getrawtransaction', row.settlementTxid, true)) as {
      hex: string;
      confirmations?: number;
    };
    if ((mined.confirmations ?? 0) < 1) throw new Error('the settlement is not mined');
    const difference = settlementDifference(mined.hex, channel, k);
    if (difference !== undefined) throw new Error(difference);
    return row;
  }

  rpc(method: string, ...params: readonly unknown[]): Promise<unknown> {
    return callRpc(this.run.bitcoin.rpcUrl, method, params);
  }

  /** Process id of a service now. */
  pidOf(name: string): number {
    const processes = this.fleet?.supervisor.summary() ?? this.run.processes;
    const found = processes.find((process) => process.name === name);
    if (found === undefined) throw new Error(`there is no process ${name}`);
    return found.pid;
  }

  logOf(name: string): string {
    const found = this.run.processes.find((process) => process.name === name);
    return found === undefined ? '' : readFileSync(found.log, 'utf8');
  }
}

/** Bytes that look random and are the same in every run. */
export function noise(bytes: number, seed: number): Buffer {
  const out = Buffer.alloc(bytes);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[at] = state >>> 24;
  }
  return out;
}
