import { callRpc } from '../providers/bitcoin-rpc.js';
import { walletUrl } from '../providers/regtest.js';

const POLL_MS = 500;
/** A block this long after a transaction entered the mempool. */
const BLOCK_AFTER_MS = 2000;

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
    this.#address ??= (await callRpc(await this.#wallet(), 'getnewaddress')) as string;
    await callRpc(this.rpcUrl, 'generatetoaddress', [blocks, this.#address]);
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

  /** This tool's wallet, or on somebody else's node whatever wallet is loaded. */
  async #wallet(): Promise<string> {
    const loaded = (await callRpc(this.rpcUrl, 'listwallets')) as string[];
    const own = walletUrl(this.rpcUrl);
    return loaded.some((name) => own.endsWith(`/${name}`)) ? own : this.rpcUrl;
  }
}
