import type { Peer } from '@seedfleet/bittorrent';
import { DEFAULT_POLICY } from '@seedfleet/policy';
import type { Logger } from '@seedfleet/service-kit';
import { encodeFrame } from '@seedfleet/wire';
import type { Origin } from '../limits/origin.js';
import { idsWith } from './message-frames.js';
import type { SellingServices } from './services.js';

/** The reference fills its answers with this byte; nobody looks at them, so all share one buffer. */
const FILL = 0xff;
const payload = new Uint8Array(DEFAULT_POLICY.speedTest.maxBytes).fill(FILL);

/**
 * Answers a speed test ahead of pieces: buyers pick the fastest answer (hazard H32). Over budget it stays unanswered,
 * which is legal on the wire and only means that this buyer goes elsewhere. Returns whether it was answered.
 */
export function answerSpeedTest(
  services: SellingServices,
  peer: Peer,
  origin: Origin,
  id: number,
  sizeBytes: number,
  logger: Logger,
): boolean {
  const verdict = sizeBytes > payload.length ? 'node-budget' : services.speedTests.charge(origin, sizeBytes);
  services.metrics.speedTests.inc({ verdict });
  if (verdict !== 'answered') {
    logger.info({ verdict, sizeBytes }, 'speed test not answered');
    return false;
  }
  const startedMs = services.nowMs();
  const message = { type: 'speedTestPayload', data: payload.subarray(0, sizeBytes) } as const;
  const frame = encodeFrame(message, idsWith('speedTestPayload', id));
  peer.sendFrame(frame.header, frame.body, {
    lane: 'urgent',
    onFlushed: (sent) => {
      if (sent) services.metrics.speedTestSeconds.observe((services.nowMs() - startedMs) / 1000);
    },
  });
  return true;
}
