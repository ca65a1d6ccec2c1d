import { Inject, Injectable } from '@nestjs/common';
import { Counter, Registry } from '@seedfleet/service-kit';
import type { ChannelState } from '@seedfleet/channel-lifecycle';

/** Counts looks at channels that failed for a reason that nobody foresaw, as with a corrupted row. */
@Injectable()
export class WorkFailures {
  private readonly failures: Counter<'state'>;

  constructor(@Inject(Registry) registry: Registry) {
    this.failures = new Counter({
      name: 'seedfleet_channel_work_failures_total',
      help: 'Looks at a channel that failed unforeseen, by its state; each is repeated, and other channels go on',
      labelNames: ['state'],
      registers: [registry],
    });
  }

  count(state: ChannelState): void {
    this.failures.inc({ state });
  }
}
