import { BuyerError, ExitCode } from '../failure.js';
import { expectAnswer, type NodeLink } from './node-link.js';

/** The newest block's median time past, Unix seconds. */
export async function medianTimePast({ node }: NodeLink): Promise<number> {
  const header = expectAnswer(await node.header(expectAnswer(await node.tip()).hash));
  if (header === null) throw chainMoved();
  return header.medianTimeSec;
}

/** Height of the first block whose median time has reached a Unix time; the tip's plus one if none has. */
export async function heightAt({ node }: NodeLink, timeSec: number): Promise<number> {
  let low = 0;
  let high = expectAnswer(await node.tip()).height + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const hash = expectAnswer(await node.blockHash(middle));
    const header = hash === null ? null : expectAnswer(await node.header(hash));
    if (header === null) throw chainMoved();
    if (header.medianTimeSec >= timeSec) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function chainMoved(): BuyerError {
  return new BuyerError(ExitCode.failed, 'chain-moved', 'the chain moved while looking; run it again');
}
