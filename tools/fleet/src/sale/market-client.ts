import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { FleetError, reasonOf } from '../errors.js';

/** The parts of the market API that the sale reads; answers have more. */

const satoshi = z
  .string()
  .regex(/^-?\d+$/)
  .transform(BigInt);

const torrent = z.object({
  infoHash: z.string(),
  name: z.string(),
  pieceCount: z.number(),
  sale: z.object({ state: z.string(), detail: z.string(), progress: z.number() }),
});

const channel = z.object({
  id: z.string(),
  state: z.string(),
  stateReason: z.string(),
  priceSat: satoshi,
  settlementFeeSat: satoshi,
  fundingTxid: z.string().nullable(),
  fundingVout: z.number().nullable(),
  fundingValueSat: satoshi.nullable(),
  k: z.number().transform(BigInt),
  settlementTxid: z.string().nullable(),
  settlementConfirmations: z.number(),
});

const revenue = z.object({ infoHash: z.string(), revenueSat: satoshi, collectedSat: satoshi });

/** See the schemas. */
export type MarketTorrent = z.output<typeof torrent>;
export type MarketChannel = z.output<typeof channel>;
export type MarketRevenue = z.output<typeof revenue>;

const CALL_MS = 20_000;

/** A client of the market API with the first administrator's key. */
export class MarketClient {
  readonly #key: string;

  constructor(
    private readonly url: string,
    keyFile: string,
    private readonly signal: AbortSignal,
  ) {
    this.#key = readFileSync(keyFile, 'utf8').trim();
  }

  /** Adds a torrent, or brings a known one back on sale. */
  async addTorrent(torrentFile: string, contentPath: string): Promise<MarketTorrent> {
    const body = { metainfo: readFileSync(torrentFile).toString('base64'), contentPath };
    return torrent.parse(await this.#call('POST', '/v1/torrents', body));
  }

  async torrent(infoHash: string): Promise<MarketTorrent> {
    return torrent.parse(await this.#call('GET', `/v1/torrents/${infoHash}`));
  }

  /** The newest channels of a torrent. */
  async channels(infoHash: string): Promise<readonly MarketChannel[]> {
    const answer = await this.#call('GET', `/v1/channels?infoHash=${infoHash}&limit=100`);
    return z.object({ items: z.array(channel) }).parse(answer).items;
  }

  /** What a torrent has earned; nothing yet is zero. */
  async revenue(infoHash: string): Promise<MarketRevenue> {
    const answer = await this.#call('GET', `/v1/revenue?infoHash=${infoHash}`);
    const rows = z.object({ items: z.array(revenue) }).parse(answer).items;
    return rows.find((row) => row.infoHash === infoHash) ?? { infoHash, revenueSat: 0n, collectedSat: 0n };
  }

  async #call(method: string, path: string, body?: object): Promise<unknown> {
    const request = {
      method,
      headers: { authorization: `Bearer ${this.#key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(CALL_MS)]),
    };
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.url}${path}`, request);
      text = await response.text();
    } catch (thrown) {
      this.signal.throwIfAborted();
      throw refused(method, path, reasonOf(thrown));
    }
    if (!response.ok) throw refused(method, path, `HTTP ${response.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }
}

function refused(method: string, path: string, why: string): FleetError {
  return new FleetError(
    'service-refused',
    `the market API refused ${method} ${path}`,
    why,
    'see the log of market-api',
  );
}
