/**
 * Weighted rendezvous hashing: every torrent ranks every node by a number that depends on the two alone, so a node that
 * joins or leaves moves only the torrents that it wins or held, 1/N of them, whatever happened before.
 * (Thaler and Ravishankar 1998; the weighted form: Schindelhauer and Schomaker 2005, -ln(u)/w, the least wins.)
 */

const TWO_32 = 2 ** 32;

/** Two independent 32-bit hashes of a short text. */
export interface Seed {
  readonly a: number;
  readonly b: number;
}

export function seedOf(text: string): Seed {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x5bd1e995);
    b ^= b >>> 15;
  }
  return { a: scramble(a), b: scramble(b) };
}

/** Uniform in (0, 1), the same for the same pair for ever: stored placements depend on it. */
export function uniform(torrent: Seed, node: Seed): number {
  return (scramble(torrent.a ^ scramble(node.a ^ torrent.b) ^ node.b) + 0.5) / TWO_32;
}

/** How far a node is from a torrent: exponentially distributed with the node's weight as its rate. The least wins. */
export function distance(torrent: Seed, node: Seed, weight: number): number {
  return -Math.log(uniform(torrent, node)) / weight;
}

/** The finalizer of MurmurHash3: every bit of the input moves every bit of the result. */
function scramble(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
