import { z } from 'zod';
import { decimalFromSat, satFromDecimal } from './amounts.js';
import { blockHash, txid } from './core/schemas.js';
import { typedCall } from './core/typed-rpc.js';
import { fail, succeed, type NodeResult } from './errors.js';
import { RpcClient, type RpcOptions } from './rpc/client.js';

const RPC_WALLET_EXISTS = -4;
const RPC_WALLET_ALREADY_LOADED = -35;
const MINING_TIMEOUT_MS = 60_000;

/**
 * Control of a development node: mining, a wallet, reorganisations. For regtest only: every call that changes something
 * first makes sure of it, once. No call is repeated after a broken connection, as each has an effect.
 */
export class RegtestControl {
  readonly #rpc: RpcClient;
  readonly #wallet: RpcClient;
  #known: Promise<NodeResult<null>> | undefined;

  constructor(
    options: RpcOptions,
    private readonly walletName = 'seedfleet',
  ) {
    this.#rpc = new RpcClient(options);
    const url = new URL(options.url);
    url.pathname = `/wallet/${encodeURIComponent(walletName)}`;
    this.#wallet = new RpcClient({ ...options, url: url.href });
  }

  /** Creates or loads the wallet; fine if it is loaded already. */
  async ensureWallet(): Promise<NodeResult<null>> {
    const made = await this.#act(this.#rpc, z.unknown(), 'createwallet', [this.walletName]);
    if (made.ok) return succeed(null);
    if (made.error.rpcCode !== RPC_WALLET_EXISTS) return fail(made.error);
    const loaded = await this.#act(this.#rpc, z.unknown(), 'loadwallet', [this.walletName]);
    const fine = loaded.ok || [RPC_WALLET_EXISTS, RPC_WALLET_ALREADY_LOADED].includes(loaded.error.rpcCode ?? 0);
    return fine ? succeed(null) : fail(loaded.error);
  }

  newAddress(): Promise<NodeResult<string>> {
    return this.#act(this.#wallet, z.string(), 'getnewaddress');
  }

  /** Mines blocks to an address, to the wallet where none is given; their hashes. */
  async mine(blocks: number, address?: string): Promise<NodeResult<readonly string[]>> {
    const to = address === undefined ? await this.newAddress() : succeed(address);
    if (!to.ok) return to;
    return this.#act(this.#rpc, z.array(blockHash), 'generatetoaddress', [blocks, to.value]);
  }

  /** Mines one block with exactly these transactions (ids in the mempool, or raw hexadecimal), which may be none. */
  async mineOnly(transactions: readonly string[], address?: string): Promise<NodeResult<string>> {
    const to = address === undefined ? await this.newAddress() : succeed(address);
    if (!to.ok) return to;
    const made = await this.#act(this.#rpc, z.object({ hash: blockHash }), 'generateblock', [to.value, transactions]);
    return made.ok ? succeed(made.value.hash) : made;
  }

  /** Spendable balance of the wallet. */
  async balanceSat(): Promise<NodeResult<bigint>> {
    const balance = await this.#act(this.#wallet, z.union([z.string(), z.int()]), 'getbalance');
    if (!balance.ok) return balance;
    const sat = satFromDecimal(String(balance.value));
    return sat === undefined
      ? fail({ code: 'malformed-response', method: 'getbalance', message: 'not an amount' })
      : succeed(sat);
  }

  /** Mines until the wallet holds at least this much; coins of new blocks need 100 more blocks to mature. */
  async ensureCoins(amountSat: bigint): Promise<NodeResult<null>> {
    for (let round = 0; round < 20; round += 1) {
      const balance = await this.balanceSat();
      if (!balance.ok) return balance;
      if (balance.value >= amountSat) return succeed(null);
      const mined = await this.mine(round === 0 ? 101 : 20);
      if (!mined.ok) return mined;
    }
    return fail({ code: 'rpc', method: 'generatetoaddress', message: 'mining brought too few coins' });
  }

  /** Pays from the wallet; the transaction's id. */
  send(address: string, amountSat: bigint): Promise<NodeResult<string>> {
    return this.#act(this.#wallet, txid, 'sendtoaddress', [address, decimalFromSat(amountSat)]);
  }

  /** Marks a block invalid: the node goes back before it, to the next best chain. */
  async invalidate(hash: string): Promise<NodeResult<null>> {
    const done = await this.#act(this.#rpc, z.unknown(), 'invalidateblock', [hash]);
    return done.ok ? succeed(null) : done;
  }

  /** Takes an invalidation back. */
  async reconsider(hash: string): Promise<NodeResult<null>> {
    const done = await this.#act(this.#rpc, z.unknown(), 'reconsiderblock', [hash]);
    return done.ok ? succeed(null) : done;
  }

  /** Sets the node's clock to a Unix time, so that median times can be moved; 0 returns to the real clock. */
  async setTime(timeSec: number): Promise<NodeResult<null>> {
    const done = await this.#act(this.#rpc, z.unknown(), 'setmocktime', [timeSec]);
    return done.ok ? succeed(null) : done;
  }

  /** Any other wallet call, for tests that build special transactions. */
  wallet<Schema extends z.ZodType>(schema: Schema, method: string, params: readonly unknown[] = []) {
    return this.#act(this.#wallet, schema, method, params);
  }

  close(): void {
    this.#rpc.close();
    this.#wallet.close();
  }

  async #act<Schema extends z.ZodType>(
    rpc: RpcClient,
    schema: Schema,
    method: string,
    params: readonly unknown[] = [],
  ): Promise<NodeResult<z.output<Schema>>> {
    this.#known ??= this.#isRegtest();
    const known = await this.#known;
    if (!known.ok) {
      this.#known = undefined;
      return known;
    }
    return typedCall(rpc, schema, method, params, { repeatable: false, timeoutMs: MINING_TIMEOUT_MS });
  }

  async #isRegtest(): Promise<NodeResult<null>> {
    const info = await typedCall(this.#rpc, z.object({ chain: z.string() }), 'getblockchaininfo');
    if (!info.ok) return info;
    if (info.value.chain === 'regtest') return succeed(null);
    const message = `regtest control refused: the node runs chain "${info.value.chain}"`;
    return fail({ code: 'unsupported', method: 'getblockchaininfo', message });
  }
}
