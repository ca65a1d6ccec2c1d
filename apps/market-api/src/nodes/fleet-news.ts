import { Injectable } from '@nestjs/common';
import { assignmentsChanged, Bus } from '@seedfleet/bus';

const MAX_REASON_LENGTH = 100;

/** Tells nodes that there is something to fetch. News may be lost: nodes also look by themselves every 15 s. */
@Injectable()
export class FleetNews {
  constructor(private readonly bus: Bus) {}

  assignmentsChanged(reason: string): void {
    this.bus.publish(assignmentsChanged, [], { reason: reason.slice(0, MAX_REASON_LENGTH) });
  }
}
