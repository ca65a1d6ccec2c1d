import { randomUUID } from 'node:crypto';
import { FencedLease, fencedUrl } from '@seedfleet/persistence';
import {
  faultPoint,
  Gauge,
  type HealthRegistry,
  type Logger,
  type Registry,
  type Standby,
} from '@seedfleet/service-kit';
import { LEASE_MS, LEASE_RENEW_MS, LEASE_RETRY_MS } from '../defaults.js';

/** Whether this chain-watcher is the one that works, or stands by for the one that does. */
export class Turn implements Standby {
  readonly #lease: FencedLease;
  /** Resolve as `Standby` says. */
  readonly waits: Promise<void>;
  readonly works: Promise<void>;
  #waiting: () => void = () => undefined;
  #working: (begun: Promise<void>) => void = () => undefined;
  #state: 'asking' | 'standby' | 'starting' | 'active' = 'asking';
  #begin: () => Promise<void> = () => Promise.resolve();

  private constructor(
    databaseUrl: string,
    holder: string,
    registry: Registry,
    private readonly health: HealthRegistry,
    private readonly logger: Logger,
  ) {
    this.waits = new Promise((resolve) => (this.#waiting = resolve));
    this.works = new Promise((resolve) => (this.#working = resolve));
    const active = new Gauge({
      name: 'seedfleet_chain_active',
      help: '1 where this chain-watcher works, 0 where it stands by',
      registers: [registry],
    });
    const token = new Gauge({
      name: 'seedfleet_chain_lease_number',
      help: 'Number of the lease that this chain-watcher works under: it grows with each takeover; 0 where it stands by',
      registers: [registry],
    });
    const times = { leaseMs: LEASE_MS, renewMs: LEASE_RENEW_MS, retryMs: LEASE_RETRY_MS };
    this.#lease = new FencedLease(databaseUrl, holder, times, {
      waits: () => {
        if (this.#state !== 'asking') return;
        this.#become('standby');
        this.logger.info('another chain-watcher works; this one stands by');
        this.#waiting();
      },
      acquired: (number) => {
        faultPoint('chain.lease.after-take');
        token.set(Number(number));
        active.set(1);
        this.#start(number);
      },
      lost: (why) => {
        // What is known here may be old; the one that comes after this process reads everything anew.
        this.logger.fatal({ why }, 'another chain-watcher has taken over; this one ends');
        process.exit(1);
      },
    });
    health.register({ name: 'lease', check: () => this.#problem() });
    health.note('role', 'asking');
  }

  /** @returns with the URL for this process's work: sessions of it write only while the lease is held */
  static of(parts: { databaseUrl: string; registry: Registry; health: HealthRegistry; logger: Logger }): {
    turn: Turn;
    workUrl: string;
  } {
    const holder = randomUUID();
    const turn = new Turn(parts.databaseUrl, holder, parts.registry, parts.health, parts.logger);
    return { turn, workUrl: fencedUrl(parts.databaseUrl, holder) };
  }

  get standsBy(): boolean {
    return this.#state === 'standby';
  }

  /** Whether this process may speak for the chain now. */
  get isActive(): boolean {
    return this.#state === 'active' && this.#lease.isHeld;
  }

  /** @param begin starts the work, once it is this process's */
  start(begin: () => Promise<void>): void {
    this.#begin = begin;
    this.#lease.start();
  }

  stop(): Promise<void> {
    return this.#lease.stop();
  }

  #start(number: bigint): void {
    this.#become('starting');
    this.#working(
      this.#begin().then(() => {
        this.#become('active');
        this.logger.info({ lease: String(number) }, 'this chain-watcher works');
      }),
    );
  }

  #become(state: 'standby' | 'starting' | 'active'): void {
    this.#state = state;
    this.health.note('role', state);
  }

  /** Standing by is no illness. */
  #problem(): string | null {
    if (this.#state === 'asking') return 'the lease has not been asked for yet';
    if (this.#state === 'starting') return 'the chain is being read up to its tip';
    return this.#state === 'standby' || this.#lease.isHeld ? null : 'the lease could not be renewed';
  }
}
