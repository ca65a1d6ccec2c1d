import { callRpc } from '../providers/bitcoin-rpc.js';
import { WALLET, walletUrl } from '../providers/regtest.js';

const POLL_MS = 500;
/** A block this long after a transaction entered the mempool. */
const BLOCK_AFTER_MS = 2000;

/** The script OP_TRUE: coins that nobody needs, on a node without a wallet. */
const ANYBODYS_COINS = 'raw(51)';

/** Regtest's only miner: a block 2 s after a transaction enters the mempool. Rests while the node does not answer. */
export class AutoMiner {
  #timer: NodeJS.Timeout | undefined;
  #waitingSinceMs: number | undefined;
  #address: string | undefined;
  #stopped = false;

  /** @param rpcUrl of a regtest node with this tool's wallet */
  constructor(private readonly rpcUrl: string) {}

  start(): void {
    this.#timer = setTimeout(() => void this.#look(), POLL_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Mines blocks now. */
  async mine(blocks: number): Promise<void> {
    this.#address ??= await this.#newAddress();
    if (this.#address === undefined) await callRpc(this.rpcUrl, 'generatetodescriptor', [blocks, ANYBODYS_COINS]);
    else await callRpc(this.rpcUrl, 'generatetoaddress', [blocks, this.#address]);
    this.#waitingSinceMs = undefined;
  }

  async #look(): Promise<void> {
    try {
      const { size } = (await callRpc(this.rpcUrl, 'getmempoolinfo')) as { size: number };
      const now = performance.now();
      this.#waitingSinceMs = size === 0 ? undefined : (this.#waitingSinceMs ?? now);
      if (this.#waitingSinceMs !== undefined && now - this.#waitingSinceMs >= BLOCK_AFTER_MS) await this.mine(1);
    } catch {
      // The node is restarting or gone; its supervisor says so.
    }
    if (!this.#stopped) this.start();
  }

  /** Of this tool's wallet, or on somebody else's node of whatever wallet is loaded; undefined when there is none. */
  async #newAddress(): Promise<string | undefined> {
    const loaded = (await callRpc(this.rpcUrl, 'listwallets')) as string[];
    const name = loaded.includes(WALLET) ? WALLET : loaded[0];
    if (name === undefined) return undefined;
    return (await callRpc(walletUrl(this.rpcUrl, name), 'getnewaddress')) as string;
  }
}
