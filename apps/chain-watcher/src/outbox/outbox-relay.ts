import type { Bus } from '@seedfleet/bus';
import { relayOutbox, type PrismaClient } from '@seedfleet/persistence';
import { faultPoint, type Logger } from '@seedfleet/service-kit';
import { lineOf } from '../store/events.js';

const EVERY_MS = 1_000;

/** Relays stored events to the bus after their commit: at once when poked, and every second for what was left over. */
export class OutboxRelay {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #failing = false;

  constructor(
    private readonly prisma: PrismaClient,
    private readonly bus: Bus,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => this.poke(), EVERY_MS);
    this.poke();
  }

  /** There may be something to send. */
  poke(): void {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        const sent = await relayOutbox(this.prisma, 'chain', async ({ subject, payload }) => {
          faultPoint('chain.outbox.before-send');
          await this.bus.relay(subject, payload, true);
          faultPoint('chain.outbox.after-send');
          const line = lineOf(subject, payload);
          if (line !== undefined) this.logger.info(line, 'chain news');
        });
        if (sent > 0) this.#again = true;
      }
      if (this.#failing) this.logger.info('events are relayed again');
      this.#failing = false;
    } catch (error) {
      // Nothing is lost: the rows stay unsent and the next tick tries again. One line per outage is enough.
      if (!this.#failing)
        this.logger.error({ error: String(error) }, 'events can not be relayed; they wait in the outbox');
      this.#failing = true;
    }
  }
}
