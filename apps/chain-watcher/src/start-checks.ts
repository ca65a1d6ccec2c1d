import { checkNetwork, CoreNode, type NodeResult } from '@seedfleet/bitcoin-node';
import type { ChainWatcherConfig } from './config.js';
import { STALE_AFTER_MS, START_PATIENCE_MS } from './defaults.js';
import type { ChainWatch } from './following/chain-watch.js';
import type { ChainStore } from './store/chain-store.js';

/** One network per deployment, and the node must follow it: a sale on the wrong chain is money lost. */
export async function refuseOtherNetwork(config: ChainWatcherConfig): Promise<void> {
  const node = new CoreNode({ url: config.BTC_RPC, cookieFile: config.BTC_COOKIE, retryForMs: START_PATIENCE_MS });
  const verdict = await checkNetwork(node, config.SEEDFLEET_NETWORK).finally(() => node.close());
  if (!verdict.ok) throw new Error(startFailure(config.BTC_RPC, verdict));
  if (!verdict.value.ok) throw new Error(`SEEDFLEET_NETWORK: ${verdict.value.message}`);
}

export async function refuseWithoutDatabase(store: ChainStore, config: ChainWatcherConfig): Promise<void> {
  await store.prisma.chainBlock.count().catch((failure: unknown) => {
    const { host, pathname } = new URL(config.DATABASE_URL);
    const why = failure instanceof Error ? failure.message.trim().split('\n').at(-1) : String(failure);
    throw new Error(`Postgres at ${host}${pathname} (DATABASE_URL) is of no use: ${why}`);
  });
}

function startFailure(rpcUrl: string, failed: NodeResult<unknown> & { ok: false }): string {
  return `Bitcoin node at ${new URL(rpcUrl).host} (BTC_RPC): ${failed.error.message} (${failed.error.code})`;
}

export function staleness(watch: ChainWatch): string | null {
  const ageMs = Date.now() - watch.observedAtMs;
  if (watch.outage === undefined && ageMs <= STALE_AFTER_MS) return null;
  return watch.outage ?? `last read ${Math.floor(ageMs / 1_000)} s ago`;
}

/** One that stands by does not follow the chain; it must be able to. */
export async function unreachable(node: CoreNode): Promise<string | null> {
  const info = await node.chainInfo();
  return info.ok ? null : info.error.message;
}

/** On a public chain a node that is still downloading it knows neither tip nor mempool. A regtest node always seems to. */
export async function catchingUp(node: CoreNode, config: ChainWatcherConfig): Promise<string | null> {
  if (config.SEEDFLEET_NETWORK.startsWith('regtest')) return null;
  const info = await node.chainInfo();
  if (!info.ok) return info.error.message;
  const { initialBlockDownload, blocks, headers } = info.value;
  return initialBlockDownload ? `the Bitcoin node is catching up: block ${blocks} of ${headers}` : null;
}
