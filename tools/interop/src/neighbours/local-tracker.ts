import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const INTERVAL_S = 30;

/** A tracker (BEP 3, compact answers) on loopback: it makes all who ask known to each other, each by its address. */
export class LocalTracker {
  /** Compact addresses in hex, by info hash in hex. */
  private readonly swarms = new Map<string, Set<string>>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<LocalTracker> {
    const server = createServer((request, response) => {
      response.end(tracker.answer(request.url?.split('?')[1] ?? '', request.socket.remoteAddress ?? ''));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const tracker: LocalTracker = new LocalTracker(
      server,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`,
    );
    return tracker;
  }

  /** How many are in a swarm. */
  countOf(infoHash: string): number {
    return this.swarms.get(infoHash)?.size ?? 0;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(query: string, host: string): Buffer {
    const fields = new Map(query.split('&').map((field) => [field.split('=')[0] ?? '', field.split('=')[1] ?? '']));
    // Clients escape as they like.
    const hash = unescapeBytes(fields.get('info_hash') ?? '').toString('hex');
    const port = Number(fields.get('port'));
    const asker = Buffer.from([...host.split('.').map(Number), port >> 8, port & 0xff]).toString('hex');
    const swarm = this.swarms.get(hash) ?? new Set<string>();
    this.swarms.set(hash, swarm);
    if (fields.get('event') === 'stopped') swarm.delete(asker);
    else swarm.add(asker);
    const peers = Buffer.from([...swarm].filter((other) => other !== asker).join(''), 'hex');
    return Buffer.concat([Buffer.from(`d8:intervali${INTERVAL_S}e5:peers${peers.length}:`), peers, Buffer.from('e')]);
  }
}

function unescapeBytes(text: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '%') bytes.push(text.charCodeAt(at));
    else {
      bytes.push(Number.parseInt(text.slice(at + 1, at + 3), 16));
      at += 2;
    }
  }
  return Buffer.from(bytes);
}
