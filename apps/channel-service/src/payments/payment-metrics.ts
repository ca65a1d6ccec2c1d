import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry } from '@seedfleet/service-kit';
import { ENTRY_FAULTS } from './judge.js';

/** What the intake does, as operators see it. */
@Injectable()
export class PaymentMetrics {
  readonly entries: Counter;
  readonly verified: Counter;
  readonly committed: Counter;
  readonly parked: Counter<'code'>;
  readonly ends: Counter;
  readonly batchSeconds: Histogram;
  readonly watermarkLag: Gauge;
  readonly committedSeq: Gauge;
  readonly streamLag: Gauge;
  readonly streamBytes: Gauge;
  readonly streamLimit: Gauge;

  constructor(@Inject(Registry) registry: Registry) {
    const registers = [registry];
    this.entries = new Counter({
      name: 'seedfleet_payment_entries_total',
      help: 'Entries read from the payment stream',
      registers,
    });
    this.verified = new Counter({
      name: 'seedfleet_payments_verified_total',
      help: 'Signatures verified; the difference to entries was superseded in its batch',
      registers,
    });
    this.committed = new Counter({
      name: 'seedfleet_payments_committed_total',
      help: 'Channels whose newest payment was committed, counted once per batch',
      registers,
    });
    this.parked = new Counter({
      name: 'seedfleet_payments_parked_total',
      help: 'Entries set aside, by the code of the fault; each code is there from the start, so that the first one shows',
      labelNames: ['code'],
      registers,
    });
    for (const code of ENTRY_FAULTS) this.parked.inc({ code }, 0);
    this.ends = new Counter({
      name: 'seedfleet_channel_ends_total',
      help: 'Channels closed by an end in the payment stream or by reaching kCap',
      registers,
    });
    this.batchSeconds = new Histogram({
      name: 'seedfleet_payment_batch_seconds',
      help: 'Seconds from reading a batch to its commit',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    });
    this.committedSeq = new Gauge({
      name: 'seedfleet_payment_watermark_seq',
      help: 'Sequence of the payment stream up to which everything is committed',
      registers,
    });
    this.streamLag = new Gauge({
      name: 'seedfleet_payment_stream_lag_messages',
      help: 'Messages of the payment stream that are stored and not yet committed to Postgres',
      registers,
    });
    this.streamBytes = new Gauge({
      name: 'seedfleet_payment_stream_bytes',
      help: 'What the broker keeps of the payment stream, bytes',
      registers,
    });
    this.streamLimit = new Gauge({
      name: 'seedfleet_payment_stream_limit_bytes',
      help: 'Size at which the payment stream takes no more: sales stop there',
      registers,
    });
    this.watermarkLag = new Gauge({
      name: 'seedfleet_payment_watermark_age_seconds',
      help: 'Seconds since the watermark was last found good in the database',
      registers,
    });
  }
}
