import {
  connect,
  usernamePasswordAuthenticator,
  type NatsConnection,
  type Subscription,
} from '@nats-io/transport-node';
import { jetstream, type JetStreamClient } from '@nats-io/jetstream';
import type { z } from 'zod';
import type { EventContract, RequestContract, Service, StreamContract } from './contract.js';
import { FleetNatsClient } from './nest-client.js';
import { PARKED } from './parking.js';
import { inboxPrefix } from './permissions.js';

/** Why the bus refused or lost something. */
export type BusErrorCode =
  /** The payload is not JSON or does not fit its schema. */
  | 'invalid_message'
  /** The owner answered with something that does not fit the reply's schema. */
  | 'invalid_reply'
  /** Nobody answered in time; the request may have been carried out. */
  | 'bus_timeout'
  /** No instance of the owner listens. */
  | 'bus_no_responder'
  /** The connection to the broker is down. */
  | 'bus_disconnected'
  /** The owner failed while it worked on the request. */
  | 'internal'
  /** The message names another node than the subject on which it came: only the subject is bound to a credential. */
  | 'forged_sender';

export type BusResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: BusErrorCode; readonly detail: string };

/** Told of every message that was refused, for a counter and a log line. */
export type RejectionHook = (rejection: { code: BusErrorCode; subject: string; detail: string }) => void;

/** Paths of PEM files. */
export interface BusTls {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface BusOptions {
  readonly natsUrl: string;
  /** Asked whenever it connects, for a password that may have been changed since; host and user stay those of `natsUrl`. */
  readonly natsUrlNow?: () => string;
  /** First token of every subject and stream name: fleets that share a broker don't hear one another. */
  readonly fleetId: string;
  readonly service: Service;
  /** Distinguishes instances in the broker's connection list. */
  readonly instance: string;
  /** Certificates for a broker that is reached over TLS; without them a `tls://` address is checked by the system's. */
  readonly tls?: BusTls;
  readonly onRejected: RejectionHook;
  /** Told when the connection is lost and found again. */
  readonly onStatus?: (status: 'connected' | 'disconnected' | 'closed') => void;
}

const REQUEST_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_WAIT_MS = 500;
/** A parked message keeps at most this much of what arrived. */
const PARKED_BYTES = 8_192;

/** One process's connection to the broker: typed requests, events and streams. */
export class Bus {
  private readonly jetstream: JetStreamClient;
  private readonly client: FleetNatsClient;

  private constructor(
    readonly connection: NatsConnection,
    readonly options: BusOptions,
  ) {
    this.jetstream = jetstream(connection);
    this.client = new FleetNatsClient(connection, inboxPrefix(userOf(options.natsUrl)));
    void this.followStatus();
  }

  /** Connects and stays connected: after the first success it reconnects for ever. Rejects when the first try fails. */
  static async connect(options: BusOptions): Promise<Bus> {
    const url = new URL(options.natsUrl);
    const user = userOf(options.natsUrl);
    const connection = await connect({
      servers: url.host,
      inboxPrefix: inboxPrefix(user),
      // From the first byte: a broker that is asked in plain text first could be made to answer that it has no TLS.
      ...(options.tls === undefined && url.protocol !== 'tls:'
        ? {}
        : { tls: { ...options.tls, handshakeFirst: true } }),
      name: `${options.service}:${options.instance}`,
      timeout: CONNECT_TIMEOUT_MS,
      reconnectTimeWait: RECONNECT_WAIT_MS,
      maxReconnectAttempts: -1,
      // A changed credential reaches the broker and this process at different moments: refused is tried again, too.
      ignoreAuthErrorAbort: true,
      ...(user === ''
        ? {}
        : {
            authenticator: usernamePasswordAuthenticator(user, () =>
              passwordOf(options.natsUrlNow?.() ?? options.natsUrl),
            ),
          }),
    });
    const bus = new Bus(connection, options);
    await bus.client.connect();
    return bus;
  }

  /** The full subject; `keys` fill its `*` tokens in order. */
  subject(pattern: string, ...keys: string[]): string {
    let next = 0;
    const filled = pattern.replace(/\*/g, (star) => keys[next++] ?? star);
    return `${this.options.fleetId}.${filled}`;
  }

  /** Asks the owner. Never throws for what the other side or the network does. */
  async request<Q extends z.ZodType, A extends z.ZodType>(
    contract: RequestContract<Q, A>,
    value: z.output<Q>,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<BusResult<z.output<A>>> {
    const subject = this.subject(contract.subject, ...(contract.fromNode ? [nodeIdIn(value)] : []));
    const reply = await this.client.ask(subject, contract.request.encode(value), timeoutMs);
    if (!reply.ok) return reply;
    const parsed = contract.reply.safeDecode(reply.value as z.input<A>);
    if (parsed.success) return { ok: true, value: parsed.data };
    this.reject('invalid_reply', contract.subject, parsed.error.message, reply.value);
    return { ok: false, code: 'invalid_reply', detail: parsed.error.message };
  }

  /** Publishes news; lost when the connection is down or nobody listens. A node's own news are keyed by its id. */
  publish<P extends z.ZodType>(contract: EventContract<P>, keys: string[], payload: z.output<P>): void {
    if (this.connection.isClosed()) return;
    const filled = contract.fromNode ? [nodeIdIn(payload)] : keys;
    this.connection.publish(
      this.subject(contract.subject, ...filled),
      JSON.stringify(contract.payload.encode(payload)),
    );
  }

  /** Listens to news; with no keys, to all of them. A handler's failure is logged by the hook and ends nothing. */
  subscribe<P extends z.ZodType>(
    contract: EventContract<P>,
    keys: string[],
    handler: (payload: z.output<P>) => void | Promise<void>,
    queue?: string,
  ): Subscription {
    return this.connection.subscribe(this.subject(contract.subject, ...keys), {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error !== null) return this.reject('internal', contract.subject, error.message);
        const parsed = this.decode(contract.payload, contract.subject, message.data);
        if (parsed === undefined) return;
        if (contract.fromNode && !isFrom(message.subject, parsed)) {
          return this.reject('forged_sender', contract.subject, message.subject, message.data);
        }
        Promise.resolve()
          .then(() => handler(parsed))
          .catch((failure: unknown) => this.reject('internal', contract.subject, String(failure)));
      },
    });
  }

  /**
   * Stores a message in a stream. Resolves with its sequence once the broker has acknowledged it; rejects when it did
   * not, in which case it may or may not be stored.
   */
  async store<P extends z.ZodType>(
    contract: StreamContract<P>,
    keys: string[],
    payload: z.output<P>,
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<{ seq: number }> {
    const body = JSON.stringify(contract.payload.encode(payload));
    const ack = await this.jetstream.publish(this.subject(contract.subject, ...keys), body, { timeout: timeoutMs });
    return { seq: ack.seq };
  }

  /** Relays an outbox row: its payload was encoded by its contract when it was written. Waits for a stream's ack. */
  async relay(subject: string, payload: unknown, durable: boolean): Promise<void> {
    const full = `${this.options.fleetId}.${subject}`;
    if (durable) await this.jetstream.publish(full, JSON.stringify(payload), { timeout: REQUEST_TIMEOUT_MS });
    else this.connection.publish(full, JSON.stringify(payload));
  }

  /** Decodes bytes of a contract's payload; what does not fit is counted, parked and undefined. */
  decode<P extends z.ZodType>(schema: P, subject: string, data: Uint8Array): z.output<P> | undefined {
    let json: unknown;
    try {
      json = JSON.parse(Buffer.from(data).toString('utf8'));
    } catch {
      this.reject('invalid_message', subject, 'not JSON', data);
      return undefined;
    }
    const parsed = schema.safeDecode(json as z.input<P>);
    if (parsed.success) return parsed.data;
    this.reject('invalid_message', subject, parsed.error.message, data);
    return undefined;
  }

  /** Counts a refused message and parks a copy for a person to look at. */
  reject(code: BusErrorCode, subject: string, detail: string, message?: unknown): void {
    this.options.onRejected({ code, subject, detail });
    if (message === undefined || this.connection.isClosed()) return;
    const text = message instanceof Uint8Array ? Buffer.from(message).toString('utf8') : JSON.stringify(message);
    const parked = { code, subject, detail: detail.slice(0, 500), message: text.slice(0, PARKED_BYTES) };
    // Parking is best effort: the counter above is what raises the alert.
    this.connection.publish(this.subject(PARKED.subject, this.options.service), JSON.stringify(parked));
  }

  /** False while the broker can't be reached. */
  get isConnected(): boolean {
    return this.connected && !this.connection.isClosed();
  }

  private connected = true;

  private async followStatus(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') {
        this.connected = false;
        this.options.onStatus?.('disconnected');
      } else if (status.type === 'reconnect') {
        this.connected = true;
        this.options.onStatus?.('connected');
      }
    }
    this.options.onStatus?.('closed');
  }

  /** Sends what is buffered, then closes. */
  async close(): Promise<void> {
    if (!this.connection.isClosed()) await this.connection.drain();
  }
}

/** The node that a message of a node's own names. Throws when it names none: that is a fault of the contract. */
export function nodeIdIn(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'nodeId' in value && typeof value.nodeId === 'string') {
    return value.nodeId;
  }
  throw new TypeError('a message of a node names its node');
}

/** Whether a message names the node to which its subject belongs. */
export function isFrom(subject: string, value: unknown): boolean {
  return subject.slice(subject.lastIndexOf('.') + 1) === nodeIdIn(value);
}

function passwordOf(natsUrl: string): string {
  return URL.canParse(natsUrl) ? decodeURIComponent(new URL(natsUrl).password) : '';
}

function userOf(natsUrl: string): string {
  return decodeURIComponent(new URL(natsUrl).username);
}
