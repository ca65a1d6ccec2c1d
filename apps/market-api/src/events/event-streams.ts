import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Gauge, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import type { Response } from 'express';
import { giveBackPlace } from '../admission/admission-control.js';
import { Problem } from '../http/problem.js';
import { EventLog, type FleetEvent } from './event-log.js';

/** Streams of one process, and of one key: an operator's tabs and tools, not a crowd. */
const MAX_STREAMS = 200;
const MAX_STREAMS_OF_KEY = 30;
const LOOK_EVERY_MS = 500;
const PULSE_EVERY_MS = 2_000;
/** Shorter than the idle limits of common proxies. */
const HEARTBEAT_MS = 15_000;
/** The client comes back by itself; whoever lost the right to look has lost the stream by then. */
const MAX_STREAM_MS = 600_000;
/** A reader that falls so far behind is cut off, and reads on from the log when it comes back. */
const MAX_UNSENT_BYTES = 1_048_576;
const PAGE = 500;
/** Who missed more reads everything anew: it is told so by `reset`. */
const MAX_REPLAY = 10_000n;

interface Stream {
  readonly keyId: string;
  readonly wants: (kind: string) => boolean;
  readonly response: Response;
  /** The last event it was sent, or passed over. */
  cursor: bigint;
}

/** Server-sent events: every stream follows the log, from where it left off. */
@Injectable()
export class EventStreams implements OnModuleDestroy {
  private readonly streams = new Set<Stream>();
  /** Up to here all streams in `streams` have been served. */
  private served = 0n;
  private timer: NodeJS.Timeout | undefined;
  private pulse = { payments: '', nodes: '' };
  private pulsedAtMs = 0;
  private open = 0;

  constructor(
    private readonly log: EventLog,
    @Inject(Registry) registry: Registry,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    new Gauge({
      name: 'seedfleet_event_streams',
      help: 'Clients that follow the events now',
      registers: [registry],
      collect: function collect(this: Gauge) {
        this.set(streams.size);
      },
    });
    const streams = this.streams;
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
    for (const { response } of this.streams) response.end();
  }

  /**
   * Serves one client until it leaves.
   * @param after the last event it has seen; undefined: only what happens from now on.
   */
  async serve(response: Response, keyId: string, wants: (kind: string) => boolean, after: bigint | undefined) {
    const ofKey = [...this.streams].filter((stream) => stream.keyId === keyId).length;
    if (this.open >= MAX_STREAMS || ofKey >= MAX_STREAMS_OF_KEY) {
      response.set('Retry-After', '10');
      throw new Problem(429, 'rate-limited', 'too many event streams are open');
    }
    this.open += 1;
    response.on('close', () => (this.open -= 1));
    const { first, last } = await this.log.range();
    if (this.streams.size === 0) this.served = last;
    const stream: Stream = { keyId, wants, response, cursor: after ?? last };
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    giveBackPlace(response);
    response.write('retry: 2000\n\n');
    const lost = stream.cursor > last || stream.cursor < first - 1n || last - stream.cursor > MAX_REPLAY;
    if (after !== undefined && lost) {
      stream.cursor = last;
      response.write(`id: ${last}\nevent: reset\ndata: {}\n\n`);
    }
    await this.catchUp(stream);
    this.follow(stream);
  }

  private async catchUp(stream: Stream): Promise<void> {
    while (!stream.response.destroyed && stream.cursor < this.served) {
      const events = await this.log.after(stream.cursor, PAGE);
      if (events.length === 0) return;
      this.send(stream, events);
    }
  }

  private follow(stream: Stream): void {
    const { response } = stream;
    if (response.destroyed) return;
    const heartbeat = setInterval(() => response.write(': beat\n\n'), HEARTBEAT_MS);
    const end = setTimeout(() => response.end(), MAX_STREAM_MS);
    this.streams.add(stream);
    response.on('close', () => {
      clearInterval(heartbeat);
      clearTimeout(end);
      this.streams.delete(stream);
    });
    this.timer ??= setTimeout(() => void this.look(), LOOK_EVERY_MS);
  }

  private async look(): Promise<void> {
    try {
      const events = await this.log.after(this.served, PAGE);
      for (const stream of this.streams) this.send(stream, events);
      this.served = events.at(-1)?.id ?? this.served;
      if (Date.now() - this.pulsedAtMs >= PULSE_EVERY_MS) await this.takePulse();
    } catch (failure) {
      // Streams stay open: the next look goes on where this one was.
      this.logger.debug({ failure: String(failure) }, 'events could not be read');
    }
    this.timer = this.streams.size === 0 ? undefined : setTimeout(() => void this.look(), LOOK_EVERY_MS);
  }

  /** Tells that figures moved for which there is no event. It has no id: a pulse that was missed is not repeated. */
  private async takePulse(): Promise<void> {
    this.pulsedAtMs = Date.now();
    const now = await this.log.pulse();
    const moved = { payments: now.payments !== this.pulse.payments, nodes: now.nodes !== this.pulse.nodes };
    this.pulse = now;
    if (!moved.payments && !moved.nodes) return;
    for (const { response } of this.streams) response.write(`event: pulse\ndata: ${JSON.stringify(moved)}\n\n`);
  }

  private send(stream: Stream, events: readonly FleetEvent[]): void {
    const { response } = stream;
    const fresh = events.filter(({ id }) => id > stream.cursor);
    stream.cursor = fresh.at(-1)?.id ?? stream.cursor;
    const wanted = fresh.filter(({ kind }) => stream.wants(kind));
    if (wanted.length === 0 || response.destroyed) return;
    response.write(wanted.map((event) => `id: ${event.id}\ndata: ${JSON.stringify(eventView(event))}\n\n`).join(''));
    if (response.writableLength > MAX_UNSENT_BYTES) response.destroy();
  }
}

/** How an event looks in answers, streams and webhooks. */
export function eventView({ id, kind, subject, data, at }: FleetEvent) {
  return { id: id.toString(), kind, subject, data, at: at.toISOString() };
}
