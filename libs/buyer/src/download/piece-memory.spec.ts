import { expect, it } from 'vitest';
import { PieceMemory } from './piece-memory.js';

it('gives the same memory again only once it is back, and takes no memory that is not its own', () => {
  const memory = new PieceMemory();
  const first = memory.allocate(20_000);
  expect(memory.allocate(20_000).buffer).not.toBe(first.buffer);
  memory.release(first.subarray(4));
  memory.release(first);
  expect(memory.allocate(20_000).buffer).toBe(first.buffer);
  expect(memory.allocate(20_000).buffer).not.toBe(first.buffer);
  // A piece that came inside a chunk of the socket: others still read from there.
  const chunk = new Uint8Array(65_536);
  memory.release(chunk.subarray(10, 20_010));
  expect(memory.allocate(65_536).buffer).not.toBe(chunk.buffer);
});
