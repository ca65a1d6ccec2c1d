import { readFileSync } from 'node:fs';

/** What a seller's operator sees and does, by the market API. Satoshi are decimal strings. */
export interface ChannelRow {
  readonly id: string;
  readonly saleId: string;
  readonly nodeId: string;
  readonly state: string;
  readonly stateReason: string;
  readonly fundingTxid: string | null;
  readonly fundingVout: number | null;
  readonly k: number;
  readonly kMin: number | null;
  readonly kCap: number | null;
  readonly closeReason: string | null;
  readonly settlementTxid: string | null;
  readonly settlementConfirmations: number;
}

export interface Offer {
  readonly priceSat?: string;
  readonly lockUnits?: number;
  readonly settlementFeeSat?: string;
  readonly minContractFeePerKbSat?: string;
  readonly maxSellers?: number;
  readonly freeTier?: { readonly bytesPerDay: number; readonly bytesPerPeerDay: number };
}

export class Market {
  private readonly key: string;

  constructor(private readonly api: { readonly url: string; readonly keyFile: string }) {
    this.key = readFileSync(api.keyFile, 'utf8').trim();
  }

  async add(torrentFile: Uint8Array, contentPath: string): Promise<void> {
    await this.call('POST', '/v1/torrents', { metainfo: Buffer.from(torrentFile).toString('base64'), contentPath });
  }

  async offer(infoHash: string, offer: Offer): Promise<void> {
    await this.call('PUT', `/v1/torrents/${infoHash}/offer`, offer);
  }

  /** How many nodes sell it. */
  async nodesOnSale(infoHash: string): Promise<number> {
    const { sale } = (await this.call('GET', `/v1/torrents/${infoHash}`)) as { sale: { nodesOnSale: number } };
    return sale.nodesOnSale;
  }

  /** The newest channels of a torrent. */
  async channels(infoHash: string): Promise<readonly ChannelRow[]> {
    const { items } = (await this.call('GET', `/v1/channels?infoHash=${infoHash}&limit=100`)) as {
      items: ChannelRow[];
    };
    return items;
  }

  /** States and reasons that a channel went through. */
  async story(channelId: string): Promise<readonly string[]> {
    const { story } = (await this.call('GET', `/v1/channels/${channelId}`)) as {
      story: { state: string; reason: string }[];
    };
    return story.map(({ state, reason }) => `${state}:${reason}`);
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.api.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status} ${text.slice(0, 400)}`);
    return JSON.parse(text);
  }
}
