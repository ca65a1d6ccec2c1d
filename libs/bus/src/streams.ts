import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import type { z } from 'zod';
import type { Bus } from './bus.js';
import type { StreamContract } from './contract.js';

const NANOS_PER_HOUR = 3_600_000_000_000;
const ACK_WAIT_NANOS = 30_000_000_000;
/** How often a batch that is being worked on tells the broker so; well below the acknowledgement wait. */
const WORKING_EVERY_MS = 10_000;
/** Bytes of messages worked on at once, and of those that wait in this process meanwhile, besides what the client reads ahead. */
const BATCH_BYTES = 4 * 1024 * 1024;
const WAITING_BYTES = 16 * 1024 * 1024;
/** Messages that the client reads ahead; a message has up to 256 KiB. */
const READ_AHEAD_MESSAGES = 128;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/** The stream's full name in the broker. */
export function streamName(bus: Bus, contract: StreamContract): string {
  return `${bus.options.fleetId}-${contract.stream}`;
}

/**
 * Creates the stream or brings its limits up to date: file storage, retention by limits so that a restored database
 * can be replayed, and new messages refused rather than old ones dropped when it is full.
 * Returns the time it was created, which tells a stream from a later one of the same name.
 */
export async function ensureStream(bus: Bus, contract: StreamContract, replicas = 1): Promise<string> {
  const manager = await jetstreamManager(bus.connection);
  const name = streamName(bus, contract);
  const config = {
    subjects: [bus.subject(contract.subject)],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: contract.stream === 'PARKED' ? DiscardPolicy.Old : DiscardPolicy.New,
    max_age: contract.maxAgeHours * NANOS_PER_HOUR,
    max_bytes: contract.maxBytes,
    ...(contract.perSubject === undefined ? {} : { max_msgs_per_subject: contract.perSubject }),
    num_replicas: replicas,
  };
  const known = await manager.streams.info(name).catch(() => undefined);
  const wanted = known === undefined ? manager.streams.add({ name, ...config }) : manager.streams.update(name, config);
  const info = await wanted.catch((failure: unknown) => {
    // The broker reserves a stream's full size, so it refuses one that its store could not hold one day.
    const reason = failure instanceof Error ? failure.message : String(failure);
    const detail = `NATS refuses the stream ${name} of ${contract.maxBytes} bytes on ${replicas} servers: ${reason}`;
    throw new StreamRefused(NO_SUCH_REPLICAS.has(apiCode(failure)) ? 'too-few-servers' : 'refused', detail, failure);
  });
  return info.created;
}

/** Replicas in a broker that is no cluster, and more of them than it has servers. */
const NO_SUCH_REPLICAS: ReadonlySet<unknown> = new Set([10_074, 10_005]);

function apiCode(failure: unknown): unknown {
  return failure instanceof JetStreamApiError ? failure.code : undefined;
}

/** The broker does not make a stream as it has to be. */
export class StreamRefused extends Error {
  constructor(
    readonly code: 'too-few-servers' | 'refused',
    message: string,
    cause: unknown,
  ) {
    super(message, { cause });
  }
}

/** Where a stream ends now. */
export interface StreamHead {
  /** When the stream was made; a later one of the same name counts from 1 again. */
  readonly epoch: string;
  /** Sequence of the newest message, 0 before the first. */
  readonly lastSeq: number;
  /** What the broker keeps of it on disk. */
  readonly bytes: number;
}

/** Asks the broker where a stream ends. Rejects when it can't be reached or has no such stream. */
export async function streamHead(bus: Bus, contract: StreamContract): Promise<StreamHead> {
  const manager = await jetstreamManager(bus.connection);
  const info = await manager.streams.info(streamName(bus, contract));
  return { epoch: info.created, lastSeq: info.state.last_seq, bytes: info.state.bytes };
}

/** One message of a stream with its place. */
export interface StreamMessage<P> {
  readonly seq: number;
  /** The `*` tokens of the subject, in order. */
  readonly keys: readonly string[];
  readonly payload: P;
}

export interface ConsumeOptions<P extends z.ZodType> {
  /** Name of the durable consumer: instances that share it share the work. */
  readonly durable: string;
  /** Fill of the subject's `*` tokens; missing ones stay open. */
  readonly keys?: readonly string[];
  readonly maxBatch: number;
  /**
   * First sequence wanted, for a service that keeps its place itself: the durable consumer is made anew from there, so
   * that a restored database gets everything again. Where a delivery was lost on the way (a connection that broke), the
   * consumer ends instead of passing later messages over it: the service starts it again from its place. Absent: from
   * where the durable stands, or the first message; a lost delivery comes again later, out of order.
   */
  readonly startSeq?: number;
  /**
   * Works on messages in the stream's order. Messages are acknowledged when it resolves. When it rejects, the same
   * batch is tried again, with growing pauses, for as long as it takes; a message named by `UnprocessableMessage` is
   * parked first.
   * @param isFull whether more messages wait than went into this batch.
   */
  readonly handle: (messages: StreamMessage<z.output<P>>[], isFull: boolean) => Promise<void>;
  readonly onError: (failure: unknown, attempt: number) => void;
}

/** Thrown by a handler for a message that can never succeed, whatever the state of the stores. */
export class UnprocessableMessage extends Error {
  constructor(
    readonly seq: number,
    reason: string,
  ) {
    super(reason);
  }
}

export interface StreamConsumer {
  /** Resolves when it has stopped, also where the broker ended it (the stream or the consumer was deleted). */
  readonly finished: Promise<void>;
  /** Finishes the batch in hand and stops. */
  stop(): Promise<void>;
}

/** Consumes a stream in order, in batches of what is there. Creates the durable consumer when it does not exist. */
export async function consumeStream<P extends z.ZodType>(
  bus: Bus,
  contract: StreamContract<P>,
  options: ConsumeOptions<P>,
): Promise<StreamConsumer> {
  const manager = await jetstreamManager(bus.connection);
  const name = streamName(bus, contract);
  if (options.startSeq !== undefined) await dropConsumer(manager, name, options.durable);
  await manager.consumers.add(name, {
    durable_name: options.durable,
    filter_subject: bus.subject(contract.subject, ...(options.keys ?? [])),
    // Who keeps its place itself acknowledges a batch by its last message: the broker has less to write down.
    ack_policy: options.startSeq === undefined ? AckPolicy.Explicit : AckPolicy.All,
    ...startingAt(options.startSeq),
    ack_wait: ACK_WAIT_NANOS,
    max_ack_pending: options.maxBatch * 4,
  });
  const consumer = await jetstream(bus.connection).consumers.get(name, options.durable);
  // Without this the client waits for ever for a stream that was made anew under the same name.
  const messages = await consumer.consume({
    max_messages: Math.min(options.maxBatch * 2, READ_AHEAD_MESSAGES),
    abort_on_missing_resource: true,
  });
  const aborted = new AbortController();
  const finished = drainInBatches(bus, contract, options, messages, aborted.signal).catch((failure: unknown) =>
    options.onError(failure, 0),
  );
  return {
    finished,
    stop: async () => {
      aborted.abort();
      await messages.close();
      await finished;
    },
  };
}

function startingAt(startSeq: number | undefined) {
  return startSeq === undefined
    ? { deliver_policy: DeliverPolicy.All }
    : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: startSeq };
}

/** A consumer's start can't be changed, so the old one goes. */
async function dropConsumer(manager: JetStreamManager, stream: string, durable: string): Promise<void> {
  const known = await manager.consumers.info(stream, durable).catch(() => undefined);
  if (known !== undefined) await manager.consumers.delete(stream, durable);
}

/**
 * Reads and works at the same time: while a batch is in hand the next messages gather, at most as many as the broker
 * lets stand unacknowledged.
 */
async function drainInBatches<P extends z.ZodType>(
  bus: Bus,
  contract: StreamContract<P>,
  options: ConsumeOptions<P>,
  messages: ConsumerMessages,
  signal: AbortSignal,
): Promise<void> {
  const gathered: JsMsg[] = [];
  let gatheredBytes = 0;
  let delivered = 0;
  let ended = false;
  let arrived = (): void => undefined;
  let taken = (): void => undefined;
  const reading = (async () => {
    for await (const message of messages) {
      delivered += 1;
      const { deliverySequence } = message.info;
      if (options.startSeq !== undefined && deliverySequence !== delivered) {
        throw new Error(`deliveries ${delivered} to ${deliverySequence - 1} of ${options.durable} were lost`);
      }
      gathered.push(message);
      gatheredBytes += message.data.length;
      arrived();
      while (gatheredBytes >= WAITING_BYTES && !signal.aborted) {
        await new Promise<void>((resolve) => {
          taken = resolve;
        });
      }
    }
  })().finally(() => {
    ended = true;
    arrived();
  });
  // Awaited below, after the batch in hand; until then its failure must not count as unhandled and end the process.
  reading.catch(() => undefined);
  const working = setInterval(() => gathered.forEach((message) => message.working()), WORKING_EVERY_MS);
  try {
    while (!signal.aborted) {
      if (gathered.length === 0) {
        if (ended) break;
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
        // What came in the same read of the socket belongs to the same batch.
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const batch = gathered.splice(0, sizeOfBatch(gathered, options.maxBatch));
      gatheredBytes -= batch.reduce((sum, message) => sum + message.data.length, 0);
      taken();
      await workOff(bus, contract, options, batch, gathered.length > 0, signal);
    }
  } finally {
    clearInterval(working);
    taken();
  }
  // An error of the subscription is the consumer's end.
  if (ended) await reading;
}

/** How many messages go together: at least one, of a size that is bounded. */
function sizeOfBatch(gathered: readonly JsMsg[], maxBatch: number): number {
  let bytes = 0;
  let count = 0;
  for (const { data } of gathered) {
    bytes += data.length;
    if (count === maxBatch || (count > 0 && bytes > BATCH_BYTES)) break;
    count += 1;
  }
  return count;
}

async function workOff<P extends z.ZodType>(
  bus: Bus,
  contract: StreamContract<P>,
  options: ConsumeOptions<P>,
  batch: JsMsg[],
  isFull: boolean,
  signal: AbortSignal,
): Promise<void> {
  let waiting: { raw: JsMsg; message: StreamMessage<z.output<P>> }[] = [];
  for (const raw of batch) {
    const payload = bus.decode(contract.payload, raw.subject, raw.data);
    // What can't be read was counted and parked; delivering it again would not help.
    if (payload === undefined) raw.term();
    else waiting.push({ raw, message: { seq: raw.seq, keys: keysOf(bus, contract, raw.subject), payload } });
  }
  const working = setInterval(() => waiting.forEach(({ raw }) => raw.working()), WORKING_EVERY_MS);
  let pauseMs = FIRST_RETRY_MS;
  try {
    for (let tries = 1; waiting.length > 0 && !signal.aborted; tries += 1) {
      try {
        await options.handle(
          waiting.map(({ message }) => message),
          isFull,
        );
        if (options.startSeq === undefined) waiting.forEach(({ raw }) => raw.ack());
        else waiting.at(-1)?.raw.ack();
        return;
      } catch (failure) {
        options.onError(failure, tries);
        if (failure instanceof UnprocessableMessage) {
          waiting = waiting.filter(({ raw }) => {
            if (raw.seq !== failure.seq) return true;
            bus.reject('internal', raw.subject, failure.message, raw.data);
            raw.term();
            return false;
          });
          continue;
        }
      }
      // The store being away for an hour is no reason to park a payment: only the handler may call a message hopeless.
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, LONGEST_RETRY_MS);
    }
  } finally {
    clearInterval(working);
  }
}

function keysOf(bus: Bus, contract: StreamContract, subject: string): string[] {
  const pattern = bus.subject(contract.subject).split('.');
  return subject.split('.').filter((_, place) => pattern[place] === '*');
}
