import { callRpc } from './bitcoin-rpc.js';

/** The name of the wallet on the nodes that this tool starts. */
export const WALLET = 'seedfleet';
/** Coins of a block can be spent 100 blocks later, so one more makes the first coins usable. */
const MATURE_BLOCKS = 101;
/** A node whose last block is older than this believes that it is still catching up (Bitcoin Core's maxtipage). */
const STALE_TIP_S = 20 * 3600;

/** Loads or creates the wallet and makes the first coins, so that nothing has to wait for a young chain. */
export async function prepareRegtest(rpcUrl: string): Promise<void> {
  const loaded = (await callRpc(rpcUrl, 'listwallets')) as string[];
  if (!loaded.includes(WALLET)) {
    const { wallets } = (await callRpc(rpcUrl, 'listwalletdir')) as { wallets: { name: string }[] };
    if (wallets.some(({ name }) => name === WALLET)) await callRpc(rpcUrl, 'loadwallet', [WALLET, true]);
    // Arguments: watch-only off, blank off, no passphrase, no reuse tracking, descriptors, loaded on each start.
    else await callRpc(rpcUrl, 'createwallet', [WALLET, false, false, '', false, true, true]);
  }
  const { blocks, time } = (await callRpc(rpcUrl, 'getblockchaininfo')) as { blocks: number; time: number };
  if (blocks < MATURE_BLOCKS) await mine(rpcUrl, MATURE_BLOCKS - blocks);
  else if (Date.now() / 1000 - time > STALE_TIP_S) await mine(rpcUrl, 1);
}

/** Mines blocks to the node's wallet; returns their hashes. Regtest only. */
export async function mine(rpcUrl: string, blocks: number): Promise<readonly string[]> {
  const wallet = walletUrl(rpcUrl);
  const address = await callRpc(wallet, 'getnewaddress');
  return (await callRpc(rpcUrl, 'generatetoaddress', [blocks, address])) as string[];
}

/** The RPC address of a wallet, which works whatever other wallets are loaded. */
export function walletUrl(rpcUrl: string, name: string = WALLET): string {
  const url = new URL(rpcUrl);
  url.pathname = `/wallet/${encodeURIComponent(name)}`;
  return url.href;
}
