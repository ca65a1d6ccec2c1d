import { decodeMessage, encodeFrame, encodePayload, MESSAGE_ID } from '@seedfleet/wire';
import { aim, keep, perSecondText, print, rate } from '../measure.js';

const PIECE_BYTES = 1024 * 1024;
const FRAMES = 2_000;

const neverAsked = (): boolean => false;

/** Growth of heap and buffers while `run` goes on; a garbage collection in between can only lower it. */
const allocatedBytes = (run: () => void): number => {
  const before = process.memoryUsage();
  run();
  const after = process.memoryUsage();
  return after.heapUsed + after.external - before.heapUsed - before.external;
};

/** A piece on its way out and in: the same bytes in the same buffer, and next to nothing allocated per frame. */
export const pieceCopies = (): boolean => {
  const data = new Uint8Array(PIECE_BYTES).fill(0x5a);
  const frame = encodeFrame({ type: 'full_piece', data });
  const sameOut = frame.body === data && frame.header.length === 10;
  let reached = aim('full_piece of 1 MiB out: the bytes given in', sameOut ? 'same' : 'copied', sameOut, 'no copy');

  const payload = encodePayload({ type: 'full_piece', data });
  const decoded = decodeMessage(MESSAGE_ID.full_piece, payload, neverAsked);
  const sameIn = decoded.ok && decoded.message.type === 'full_piece' && decoded.message.data.buffer === payload.buffer;
  reached = aim('full_piece of 1 MiB in: a view', sameIn ? 'same' : 'copied', sameIn, 'no copy') && reached;

  const outRun = (): void => {
    for (let n = 0; n < FRAMES; n += 1) keep(encodeFrame({ type: 'full_piece', data }));
  };
  const inRun = (): void => {
    for (let n = 0; n < FRAMES; n += 1) keep(decodeMessage(MESSAGE_ID.full_piece, payload, neverAsked));
  };
  for (const [what, run] of [
    ['encode', outRun],
    ['decode', inRun],
  ] as const) {
    run();
    const perFrame = Math.max(0, Math.round(allocatedBytes(run) / FRAMES));
    print(`${what} full_piece of 1 MiB`.padEnd(44) + perSecondText(rate(FRAMES, run)).padStart(17));
    reached = aim(`${what}: bytes allocated per 1 MiB piece`, `${perFrame}`, perFrame < 4096, '< 4,096') && reached;
  }
  return reached;
};
