import { parseTransaction, type BitcoinNode, type Outpoint } from '@seedfleet/bitcoin-node';
import { BURIAL_CONFIRMATIONS } from '../defaults.js';
import type { ChainFollower } from '../following/chain-follower.js';
import type { StoredBroadcast } from '../store/broadcast-rows.js';
import type { ChainStore } from '../store/chain-store.js';
import type { Spend } from '../watching/output-life.js';
import type { Rival } from './broadcast-life.js';

/** Inputs that are asked about to tell a double-spend from a missing parent; ours have one, a sweep up to a hundred. */
const MAX_INPUTS_ASKED = 100;

/** What keeps a transaction out of the chain, and how many blocks it has, its own included; 0 where that is not followed. */
export interface FoundRival {
  readonly rival: Rival | null;
  readonly depth: number;
}

/** Finds out why a node misses inputs of a transaction. Runs at a fixed tip. */
export class RivalFinder {
  constructor(
    private readonly node: BitcoinNode,
    private readonly chain: ChainStore,
    private readonly follower: ChainFollower,
  ) {}

  /** What is mined in its place; undefined where that is nothing, and its parent may still come. */
  async find(broadcast: StoredBroadcast): Promise<FoundRival | undefined> {
    const transaction = parseTransaction(broadcast.raw);
    for (const input of transaction?.inputs.slice(0, MAX_INPUTS_ASKED) ?? []) {
      const found = (await this.#followed(input, broadcast.txid)) ?? (await this.#asked(input, broadcast));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** By what is watched and sent. */
  async #followed(input: Outpoint, txid: string): Promise<FoundRival | undefined> {
    const watched = (await this.chain.output(input))?.life;
    const spend = asRival(watched?.spend ?? null);
    if (spend !== null && spend.txid !== txid) return this.#counted(spend);
    // What kept out the transaction that makes the input keeps this one out; until that is buried, both may come.
    const conflict = watched?.funding.kind === 'block' ? null : asRival(watched?.conflict ?? null);
    const parent = (await this.chain.broadcast(input.txid))?.life;
    for (const rival of [conflict, parent?.state === 'overtaken' ? parent.rival : null]) {
      const found = rival === null ? undefined : this.#counted(rival);
      if (found !== undefined && found.depth >= BURIAL_CONFIRMATIONS) return found;
    }
    return undefined;
  }

  /** By the node: the transaction that makes the input is in the chain, but the output is spent there. */
  async #asked(input: Outpoint, broadcast: StoredBroadcast): Promise<FoundRival | undefined> {
    const unspent = await this.node.unspentOutput(input, 'chain');
    if (!unspent.ok || unspent.value !== null || !(await this.#isMined(input.txid))) return undefined;
    // Nobody says where it is spent, only that it is by now. The block up to which that is known stands for it.
    const { rival } = broadcast.life;
    if (rival !== null && this.follower.holds(rival)) return this.#counted(rival);
    const tip = await this.node.tip();
    return tip.ok ? this.#counted({ txid: null, height: tip.value.height, hash: tip.value.hash }) : uncounted;
  }

  async #isMined(txid: string): Promise<boolean> {
    const sent = await this.chain.broadcast(txid);
    if (sent !== undefined && sent.life.inclusion !== null) return true;
    const found = await this.node.transaction(txid);
    return found.ok && found.value?.place.kind === 'block';
  }

  /** A block that is not followed yet counts nothing: nobody would be told if it went. */
  #counted(rival: Rival): FoundRival {
    const tip = this.follower.tip;
    const depth = tip !== undefined && this.follower.holds(rival) ? tip.height - rival.height + 1 : 0;
    return { rival, depth };
  }
}

const uncounted: FoundRival = { rival: null, depth: 0 };

const asRival = (spend: Spend | null): Rival | null =>
  spend === null || spend.height === null || spend.hash === null
    ? null
    : { txid: spend.txid, height: spend.height, hash: spend.hash };
