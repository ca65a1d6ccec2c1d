import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { ChannelParameters, Network } from '@seedfleet/payment-channel';
import type { SellerTerms } from '@seedfleet/wire';
import type { Torrent } from '../bittorrent/torrent.js';
import { SellerLink } from './seller-link.js';

export interface SellerOptions {
  readonly torrent: Torrent;
  readonly content: Uint8Array;
  readonly terms: SellerTerms;
  readonly network: Network;
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** From an invitation to the join. Default: 1,000, the desktop's poll. */
  readonly joinAfterMs?: number;
  /** Terms announced instead, with index 1, when the first invitation comes. */
  readonly revisedTerms?: SellerTerms;
  /** Pieces after which it closes the socket. */
  readonly vanishAfter?: number;
  /** Pause before each piece. Default: none. */
  readonly delayMs?: number;
  /** How it departs from the reference, if it does. */
  readonly hostile?: Hostility;
}

/** What a dishonest or broken seller may do to a buyer. */
export type Hostility =
  /** The third piece is noise. */
  | 'bad-piece'
  /** Sends two pieces and then nothing, with the connection open. */
  | 'stall'
  /** Is invited and never joins. */
  | 'never-join'
  /** Joins, and closes as soon as it is told its deposit. */
  | 'close-when-funded'
  /** Joins with a contract key that is no point of the curve. */
  | 'wrong-key'
  /** Broadcasts its settlement at the third payment and goes on selling. */
  | 'settle-early'
  /** Answers each request twice. */
  | 'too-many-pieces';

/** What a seller claims when a connection ends: the channel, and its last payment. */
export interface Claim {
  readonly channel: ChannelParameters;
  readonly k: number;
  readonly hex: string;
}

/** A reference-shaped seller: it listens, and validates nothing about the funding. */
export class ReferenceSeller {
  readonly links: SellerLink[] = [];
  readonly claims: Claim[] = [];

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async listen(options: SellerOptions): Promise<ReferenceSeller> {
    const host = options.host ?? '127.0.0.1';
    const holder: { seller?: ReferenceSeller } = {};
    const server = createServer((socket: Socket) => {
      holder.seller?.links.push(new SellerLink(socket, options, (claim) => holder.seller?.claims.push(claim)));
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
    return (holder.seller = new ReferenceSeller(server, `${host}:${(server.address() as AddressInfo).port}`));
  }

  close(): void {
    this.server.close();
    for (const { link } of this.links) link.destroy();
  }
}
