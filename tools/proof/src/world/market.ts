import { readFileSync } from 'node:fs';

const CALL_MS = 20_000;
const ON_SALE_MS = 60_000;
const POLL_MS = 200;

/** The operators' API, as much of it as the proofs need. */
export class ProofMarket {
  private readonly key: string;

  constructor(
    private readonly url: string,
    keyFile: string,
  ) {
    this.key = readFileSync(keyFile, 'utf8').trim();
  }

  /** Puts a torrent on sale at a price and waits until a node sells it. */
  async sell(metainfo: Uint8Array, contentPath: string, infoHash: string, priceSat: bigint): Promise<void> {
    await this.call('POST', '/v1/torrents', { metainfo: Buffer.from(metainfo).toString('base64'), contentPath });
    await this.call('PUT', `/v1/torrents/${infoHash}/offer`, { priceSat: priceSat.toString() });
    const deadline = Date.now() + ON_SALE_MS;
    for (;;) {
      const { sale } = (await this.call('GET', `/v1/torrents/${infoHash}`)) as { sale: { state: string } };
      if (sale.state === 'on-sale') return;
      if (Date.now() > deadline) throw new Error(`torrent ${infoHash} is "${sale.state}", not on sale`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Sweeps what is final to the operator's wallet. */
  async sweep(): Promise<void> {
    await this.call('POST', '/v1/treasury/sweep', { dryRun: false });
  }

  /** How many nodes are to sell a torrent. */
  async replicas(infoHash: string, replicas: number): Promise<void> {
    await this.call('PUT', `/v1/torrents/${infoHash}/replicas`, { replicas });
  }

  /** Where the nodes listen that sell a torrent now. */
  async sellers(infoHash: string): Promise<{ readonly host: string; readonly port: number }[]> {
    const { nodes } = (await this.call('GET', `/v1/torrents/${infoHash}`)) as {
      nodes: { peerAddress: string; nodeAlive: boolean; state: string }[];
    };
    return nodes
      .filter(({ nodeAlive, state }) => nodeAlive && state === 'on-sale')
      .map(({ peerAddress }) => {
        const [host = '', port = ''] = peerAddress.split(':');
        return { host, port: Number(port) };
      });
  }

  private async call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }
}
