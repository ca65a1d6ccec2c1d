import { Injectable } from '@nestjs/common';
import { assignmentsChanged, Bus, MAX_TAKEN_DOWN, torrentsTakenDown } from '@seedfleet/bus';

const MAX_REASON_LENGTH = 100;
const INFO_HASH_DIGITS = 40;

/** Tells nodes that there is something to fetch. News may be lost: nodes also look by themselves every 15 s. */
@Injectable()
export class FleetNews {
  constructor(private readonly bus: Bus) {}

  assignmentsChanged(reason: string): void {
    this.bus.publish(assignmentsChanged, [], { reason: reason.slice(0, MAX_REASON_LENGTH) });
  }

  /** What is no infohash among them is left out: a takedown's own hash may be a file's. */
  takenDown(hashes: readonly string[]): void {
    const infoHashes = [...new Set(hashes)].filter((hash) => hash.length === INFO_HASH_DIGITS);
    for (let at = 0; at < infoHashes.length; at += MAX_TAKEN_DOWN) {
      this.bus.publish(torrentsTakenDown, [], { infoHashes: infoHashes.slice(at, at + MAX_TAKEN_DOWN) });
    }
    this.assignmentsChanged('takedown');
  }
}
