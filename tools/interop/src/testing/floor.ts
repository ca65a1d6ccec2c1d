import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callRpc, mine, type RunningFleet } from '@seedfleet/fleet';
import { isNetwork, toHex, type ChannelParameters, type Network } from '@seedfleet/payment-channel';
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

/** A running fleet and a buyer's wallet: what the cases of this tool trade on. */
export class Floor {
  private readonly folder = mkdtempSync(join(tmpdir(), 'seedfleet-content-'));

  private constructor(
    private readonly stateDir: string,
    readonly network: Network,
    readonly run: Run,
    readonly market: Market,
    readonly wallet: ReferenceWallet,
  ) {}

  /** @param stateDir of a running fleet */
  static at(stateDir: string): Floor {
    const run = JSON.parse(readFileSync(join(stateDir, 'run.json'), 'utf8')) as Run;
    const wallet = new ReferenceWallet(run.bitcoin.rpcUrl);
    if (!isNetwork(run.network)) throw new Error(`${run.network} is no network`);
    return new Floor(stateDir, run.network, run, new Market(run.marketApi), wallet);
  }

  /** Forgets the content; what was sold stays with the fleet. */
  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Address of node 1, 2, … */
  node(number: number): string {
    const node = this.run.nodes[number - 1];
    if (node === undefined) throw new Error(`there is no node ${number}`);
    return node.peerAddress;
  }

  /** Puts content on sale at every node. */
  async sell(
    name: string,
    content: Uint8Array,
    pieceLengthBytes: number,
    offer: Offer,
    announce?: string,
  ): Promise<Torrent> {
    const torrent = torrentOf(name, content, pieceLengthBytes, announce);
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
    const named = rows.filter((row) => row.fundingTxid === txid && row.fundingVout === fundingOutpoint.index);
    // An output that is shown twice is refused the second time; only one channel holds it.
    return named.find(({ state }) => state !== 'refused') ?? named[0];
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
  async settles(torrent: Torrent, channel: ChannelParameters, k: number): Promise<ChannelRow> {
    await this.becomes(torrent, channel, 'settling', 'settled', 'buried');
    await until('the settlement in the mempool', async () => {
      const { settlementTxid } = (await this.channel(torrent, channel)) ?? {};
      return settlementTxid && this.rpc('getrawtransaction', settlementTxid).catch(() => undefined);
    });
    await this.mine();
    const row = await this.becomes(torrent, channel, 'settled', 'buried');
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

  /** Mines what is in the mempool now, rather than in 2 s. */
  mine(blocks = 1): Promise<unknown> {
    return mine(this.run.bitcoin.rpcUrl, blocks);
  }

  rpc(method: string, ...params: readonly unknown[]): Promise<unknown> {
    return callRpc(this.run.bitcoin.rpcUrl, method, params);
  }

  /** Process id of a service now: it wrote it when it was ready. */
  pidOf(service: string): number {
    return this.readyFile(service).pid;
  }

  /** Where a service tells its metrics. */
  metricsOf(service: string): string {
    return `http://127.0.0.1:${this.readyFile(service).httpPort}/metrics`;
  }

  private readyFile(service: string): { readonly pid: number; readonly httpPort: number } {
    const file = join(this.stateDir, 'services', `${service}.ready.json`);
    return JSON.parse(readFileSync(file, 'utf8')) as { pid: number; httpPort: number };
  }

  /** What a service has logged since the fleet was started. */
  logOf(service: string): string {
    return readFileSync(join(this.stateDir, 'logs', `${service}.log`), 'utf8');
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
