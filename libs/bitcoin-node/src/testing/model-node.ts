import type { ChainInfo, BitcoinNode, BlockHeader } from '../node.js';
import { succeed } from '../errors.js';

/** A chain of bare headers for tests of the follower: it can grow and be reorganised, and answers like a node. */
export class ModelNode {
  #active: BlockHeader[] = [];
  readonly #all = new Map<string, BlockHeader>();
  #made = 0;
  chain = 'regtest';
  agent = '/Satoshi:29.0.0/';
  /** Called before each answer, so that a test can move the chain in the middle of a question. */
  beforeAnswer: () => void = () => {};

  constructor() {
    this.extend(1);
  }

  get active(): readonly BlockHeader[] {
    return this.#active;
  }

  extend(blocks: number): void {
    for (let index = 0; index < blocks; index += 1) {
      const previous = this.#active.at(-1);
      this.#made += 1;
      const header: BlockHeader = {
        hash: this.#made.toString(16).padStart(64, '0'),
        height: (previous?.height ?? -1) + 1,
        previousHash: previous?.hash ?? null,
        timeSec: this.#made * 600,
        medianTimeSec: this.#made * 600,
        inActiveChain: true,
      };
      this.#active.push(header);
      this.#all.set(header.hash, header);
    }
  }

  /** Drops the newest blocks and mines others; never the genesis block. */
  reorganise(depth: number, newBlocks: number): void {
    this.#active = this.#active.slice(0, Math.max(1, this.#active.length - depth));
    this.extend(newBlocks);
  }

  /** Overrides the hash at a height, e.g. with a checkpoint. */
  hashes = new Map<number, string>();
  reportedBlocks: number | undefined;

  asNode(): BitcoinNode {
    const answer = <T>(make: () => T) => {
      this.beforeAnswer();
      return Promise.resolve(succeed(make()));
    };
    const height = (): number => this.reportedBlocks ?? this.#active.length - 1;
    const best = (): string => this.#active.at(-1)?.hash ?? '';
    const part: Partial<BitcoinNode> = {
      chainInfo: () =>
        answer((): ChainInfo => ({
          chain: this.chain,
          blocks: height(),
          headers: height(),
          bestHash: best(),
          initialBlockDownload: false,
          pruned: false,
        })),
      userAgent: () => answer(() => this.agent),
      tip: () => answer(() => ({ height: height(), hash: best() })),
      blockHash: (at) => answer(() => this.hashes.get(at) ?? this.#active[at]?.hash ?? null),
      header: (hash) =>
        answer(() => {
          const header = this.#all.get(hash);
          return header ? { ...header, inActiveChain: this.#active[header.height]?.hash === hash } : null;
        }),
    };
    return part as BitcoinNode;
  }
}
