import { describe, expect, it } from 'vitest';
import { FrameDiscarder } from './frame-discarder.js';

function frame(id: number, extendedId: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(4 + lengthBytes, 0xee);
  bytes.writeUInt32BE(lengthBytes);
  bytes.writeUInt8(id, 4);
  bytes.writeUInt8(extendedId, 5);
  return bytes;
}

const STREAM = Buffer.concat([
  Buffer.alloc(68, 1),
  frame(20, 0, 40),
  Buffer.alloc(4),
  frame(20, 67, 65_538),
  Buffer.from([0, 0, 0, 1, 1]),
  frame(7, 0, 16_393),
  frame(20, 62, 36),
]);

describe('FrameDiscarder', () => {
  it.each([1, 5, 7, 4096, STREAM.length])('tells frames apart in chunks of %i bytes', (chunkBytes) => {
    const seen: string[] = [];
    const discarder = new FrameDiscarder({
      handshake: () => seen.push('handshake'),
      control: (body) => seen.push(`control ${body[0]} ${body.length}`),
      bulk: (id, extendedId, lengthBytes) => seen.push(`bulk ${id} ${extendedId} ${lengthBytes}`),
    });
    for (let at = 0; at < STREAM.length; at += chunkBytes) discarder.push(STREAM.subarray(at, at + chunkBytes));
    expect(seen).toEqual([
      'handshake',
      'control 20 40',
      'bulk 20 67 65538',
      'control 1 1',
      'bulk 7 0 16393',
      'control 20 36',
    ]);
  });
});
