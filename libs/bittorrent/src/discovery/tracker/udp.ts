import { randomBytes } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';
import { failure, success } from '../../result.js';
import { NO_PORT, parseCompact } from '../addresses.js';
import { DISCOVERY_DEFAULTS } from '../defaults.js';
import type { Announce, AnnounceOutcome } from './announce.js';

const PROTOCOL_ID = 0x41727101980n;
const Action = { connect: 0, announce: 1, error: 3 } as const;
const EVENTS = { none: 0, started: 2, stopped: 3 } as const;
/** Connection ids hold for a minute (BEP 15). */
const CONNECTION_ID_MS = 55_000;
const MAX_CONNECTION_IDS = 1024;
/** Packets get lost: each request is sent this often, spread over the time there is. */
const ATTEMPTS = 3;

interface Destination {
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

interface Waiter {
  readonly destination: Destination;
  readonly resolve: (reply: Buffer) => void;
}

/** Announces over UDP (BEP 15), through one socket per address family however many trackers there are. */
export class UdpTrackers {
  private readonly sockets = new Map<4 | 6, Promise<Socket>>();
  private readonly waiting = new Map<number, Waiter>();
  private readonly connectionIds = new Map<string, { readonly id: Buffer; readonly untilMs: number }>();
  private closed = false;

  /** @param localHosts addresses to ask from, at most one of each family. */
  constructor(private readonly localHosts: readonly string[]) {}

  /** Never rejects. */
  async announce(announce: Announce): Promise<AnnounceOutcome> {
    const destination = await this.resolve(announce.url, isIPv4(announce.localHost) ? 4 : 6);
    if (destination === undefined) return failure({ code: 'tracker-unreachable', detail: announce.url.hostname });
    const connectionId = await this.connectionId(destination);
    if (connectionId === undefined) return failure({ code: 'tracker-timeout', detail: 'connect' });
    const reply = await this.ask(destination, (transaction) => announceBytes(announce, connectionId, transaction));
    if (reply === undefined) return failure({ code: 'tracker-timeout', detail: 'announce' });
    const action = reply.readUInt32BE(0);
    if (action === Action.error) {
      this.connectionIds.delete(keyOf(destination));
      return failure({ code: 'tracker-refused', detail: reply.subarray(8, 208).toString('utf8') });
    }
    if (action !== Action.announce || reply.length < 20) {
      return failure({ code: 'tracker-answer-invalid', detail: `action ${action}` });
    }
    return success({
      peers: parseCompact(reply.subarray(20), destination.family, DISCOVERY_DEFAULTS.peersPerReport),
      intervalMs: reply.readUInt32BE(8) * 1000,
    });
  }

  close(): void {
    this.closed = true;
    for (const socket of this.sockets.values()) void socket.then((open) => open.close()).catch(() => undefined);
    this.sockets.clear();
  }

  private async resolve(url: URL, family: 4 | 6): Promise<Destination | undefined> {
    const name = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port);
    if (!(port > 0)) return undefined;
    const given = isIP(name);
    if (given !== 0) return given === family ? { host: name, port, family } : undefined;
    const found = await lookup(name, { family }).catch(() => undefined);
    return found === undefined ? undefined : { host: found.address, port, family };
  }

  private async connectionId(destination: Destination): Promise<Buffer | undefined> {
    const key = keyOf(destination);
    const known = this.connectionIds.get(key);
    if (known !== undefined && known.untilMs > performance.now()) return known.id;
    const reply = await this.ask(destination, (transaction) => {
      const bytes = Buffer.alloc(16);
      bytes.writeBigUInt64BE(PROTOCOL_ID, 0);
      bytes.writeUInt32BE(Action.connect, 8);
      bytes.writeUInt32BE(transaction, 12);
      return bytes;
    });
    if (reply === undefined || reply.length < 16 || reply.readUInt32BE(0) !== Action.connect) return undefined;
    const id = Buffer.from(reply.subarray(8, 16));
    if (this.connectionIds.size >= MAX_CONNECTION_IDS) this.connectionIds.clear();
    this.connectionIds.set(key, { id, untilMs: performance.now() + CONNECTION_ID_MS });
    return id;
  }

  /** Sends until an answer of that very address and transaction comes, or gives up. */
  private async ask(destination: Destination, request: (transaction: number) => Buffer): Promise<Buffer | undefined> {
    const socket = await this.socket(destination.family);
    if (socket === undefined || this.closed) return undefined;
    const transaction = randomBytes(4).readUInt32BE(0);
    const bytes = request(transaction);
    return new Promise((resolve) => {
      let attempt = 0;
      const settle = (reply: Buffer | undefined): void => {
        clearInterval(timer);
        this.waiting.delete(transaction);
        resolve(reply);
      };
      const send = (): void => {
        if (++attempt > ATTEMPTS || this.closed) return settle(undefined);
        socket.send(bytes, destination.port, destination.host, () => undefined);
      };
      const timer = setInterval(send, DISCOVERY_DEFAULTS.trackerTimeoutMs / 2 / ATTEMPTS);
      timer.unref();
      this.waiting.set(transaction, { destination, resolve: settle });
      send();
    });
  }

  private socket(family: 4 | 6): Promise<Socket | undefined> {
    const known = this.sockets.get(family);
    const opened = known ?? this.open(family);
    if (known === undefined) this.sockets.set(family, opened);
    return opened.catch(() => {
      this.sockets.delete(family);
      return undefined;
    });
  }

  private open(family: 4 | 6): Promise<Socket> {
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
    const address = this.localHosts.find((host) => isIPv4(host) === (family === 4));
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ port: 0, ...(address === undefined ? {} : { address }) }, () => {
        socket.removeAllListeners('error').on('error', () => undefined);
        socket.on('message', (bytes, from) => this.onMessage(bytes, from));
        resolve(socket);
      });
    });
  }

  private onMessage(bytes: Buffer, from: RemoteInfo): void {
    if (bytes.length < 8) return;
    const waiter = this.waiting.get(bytes.readUInt32BE(4));
    if (waiter === undefined || waiter.destination.host !== from.address || waiter.destination.port !== from.port)
      return;
    waiter.resolve(bytes);
  }
}

function announceBytes(announce: Announce, connectionId: Buffer, transaction: number): Buffer {
  const { publicHost, event } = announce;
  const head = Buffer.alloc(98);
  connectionId.copy(head, 0);
  head.writeUInt32BE(Action.announce, 8);
  head.writeUInt32BE(transaction, 12);
  Buffer.from(announce.infoHash, 'hex').copy(head, 16);
  head.set(announce.peerId, 36);
  head.writeBigUInt64BE(BigInt(announce.leftBytes), 64);
  head.writeUInt32BE(EVENTS[event ?? 'none'], 80);
  if (publicHost !== undefined && isIPv4(publicHost)) head.set(publicHost.split('.').map(Number), 84);
  head.writeUInt32BE(announce.key, 88);
  head.writeUInt32BE(event === 'stopped' ? 0 : DISCOVERY_DEFAULTS.numWant, 92);
  head.writeUInt16BE(announce.port ?? NO_PORT, 96);
  return Buffer.concat([head, pathOption(announce.url)]);
}

/** Path and query of the tracker's URL (BEP 41): some trackers find the account there. */
function pathOption(url: URL): Buffer {
  const path = Buffer.from(`${url.pathname === '/' ? '' : url.pathname}${url.search}`);
  const parts: Buffer[] = [];
  for (let at = 0; at < path.length; at += 255) {
    const part = path.subarray(at, at + 255);
    parts.push(Buffer.from([0x02, part.length]), part);
  }
  return Buffer.concat(parts);
}

function keyOf({ host, port }: Destination): string {
  return `${host} ${port}`;
}
