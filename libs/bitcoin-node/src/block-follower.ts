import { succeed, type NodeResult } from './errors.js';
import type { BitcoinNode, BlockHeader, BlockRef } from './node.js';

/** Steps from the block that the caller knows to the node's present tip; apply them in order. */
export interface ChainSteps {
  /** Blocks of the caller's chain that are no longer active, newest first. */
  readonly disconnect: readonly BlockRef[];
  /** Active blocks to add, oldest first; at most the batch asked for. */
  readonly connect: readonly BlockHeader[];
  /** True if more blocks follow after these. */
  readonly more: boolean;
}

/** What the caller remembers of its chain: the newest block and a way back, newest first, without gaps. */
export type KnownChain = readonly BlockRef[];

/** Why no steps could be named although the node answered. */
export type FollowFailure =
  /** No remembered block is in the node's active chain: another chain, or a reorganisation deeper than the memory. */
  'no-common-block';

export type FollowOutcome =
  { readonly kind: 'steps'; readonly steps: ChainSteps } | { readonly kind: FollowFailure; readonly tip: BlockRef };

/**
 * Compares the caller's chain with the node's by hash and height, never by trusting that the tip only grows: walks back
 * to the newest remembered block that is still active, then forward along the active chain. A tip that moves meanwhile
 * is noticed because each header must name its predecessor; the steps then end early and the next call goes on.
 * @param known newest first; empty to start at `startHeight`.
 * @param batch at most this many blocks to connect per call.
 */
export async function nextSteps(
  node: BitcoinNode,
  known: KnownChain,
  options: { readonly startHeight: number; readonly batch: number },
): Promise<NodeResult<FollowOutcome>> {
  const tip = await node.tip();
  if (!tip.ok) return tip;
  const fork = await newestActive(node, known);
  if (!fork.ok) return fork;
  const base = fork.value;
  if (known.length > 0 && base === undefined) return succeed({ kind: 'no-common-block', tip: tip.value });
  const disconnect = base === undefined ? [] : known.slice(0, base);
  const parent = base === undefined ? undefined : known[base];
  const connect = await connectFrom(
    node,
    parent,
    parent ? parent.height + 1 : options.startHeight,
    tip.value,
    options.batch,
  );
  if (!connect.ok) return connect;
  const reached = connect.value.at(-1)?.height ?? parent?.height ?? -1;
  return succeed({
    kind: 'steps',
    steps: { disconnect, connect: connect.value, more: reached < tip.value.height },
  });
}

/** Index of the newest remembered block that is in the active chain. */
async function newestActive(node: BitcoinNode, known: KnownChain): Promise<NodeResult<number | undefined>> {
  for (const [index, block] of known.entries()) {
    const hash = await node.blockHash(block.height);
    if (!hash.ok) return hash;
    if (hash.value === block.hash) return succeed(index);
  }
  return succeed(undefined);
}

async function connectFrom(
  node: BitcoinNode,
  parent: BlockRef | undefined,
  firstHeight: number,
  tip: BlockRef,
  batch: number,
): Promise<NodeResult<readonly BlockHeader[]>> {
  const headers: BlockHeader[] = [];
  let previous = parent?.hash;
  for (let height = firstHeight; height <= tip.height && headers.length < batch; height += 1) {
    const hash = await node.blockHash(height);
    if (!hash.ok) return hash;
    const header = hash.value === null ? succeed(null) : await node.header(hash.value);
    if (!header.ok) return header;
    const next = header.value;
    const fits = next?.inActiveChain === true && (previous === undefined || next.previousHash === previous);
    if (!next || !fits) break;
    headers.push(next);
    previous = next.hash;
  }
  return succeed(headers);
}
