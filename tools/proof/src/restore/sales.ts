import { ProofBuyer } from '../buyer/buyer.js';
import { channelOf } from '../world/states.js';
import { waitFor, type Goods, type Place } from '../world/world.js';

export const RESTORED_MS = 90_000;
export const SERVICES = ['chain-watcher', 'channel-settler', 'channel-intake', 'market-api'];

/** A buyer with four stored payments, who stays. */
export async function beginSale(world: Place, goods: Goods): Promise<ProofBuyer> {
  const buyer = new ProofBuyer(world.chain, goods.metainfo, { pieces: 4, stay: true, at: mineFunding(world) });
  await buyer.play(world.node());
  await waitFor(async () => (await channelOf(world, buyer)).k === 4, RESTORED_MS, 'four payments to be stored');
  return buyer;
}

/** Buys and pays up to a piece, and waits until it is paid. */
export async function buyOn(buyer: ProofBuyer, upTo: number): Promise<void> {
  for (let piece = buyer.received; piece < upTo; piece += 1) buyer.requestMore();
  if (!(await buyer.until(() => buyer.paid >= upTo))) throw new Error(`only ${buyer.paid} pieces could be bought`);
}

export async function sellTo(world: Place, goods: Goods): Promise<ProofBuyer> {
  for (let attempt = 1; ; attempt += 1) {
    const buyer = new ProofBuyer(world.chain, goods.metainfo, { pieces: 3, at: mineFunding(world) });
    await buyer.play(world.node());
    if (buyer.paid === 3) return buyer;
    if (attempt === 10) throw new Error(`nothing can be bought: ${buyer.closed}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

export function mineFunding(world: Place): (moment: string, buyer: ProofBuyer) => Promise<void> {
  return async (moment, { funding }) => {
    if (moment === 'funded') await world.chain.mineOnly([funding?.txid ?? '']);
  };
}

export async function keysOf(world: Place): Promise<Set<string>> {
  return new Set((await world.database.channels()).map(({ sellerPublicKey }) => sellerPublicKey));
}

export async function epochsOf(world: Place): Promise<number[]> {
  const rows = await world.database.query<{ epoch: number }>('SELECT "epoch" FROM channel.key_epoch');
  return rows.map(({ epoch }) => epoch);
}

export async function newest(world: Place): Promise<number> {
  return Math.max(0, ...(await epochsOf(world)));
}
