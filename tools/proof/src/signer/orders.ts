import { type signerSettlement, type signerChild, type signerSweep } from '@seedfleet/bus';
import {
  bestEcdsa,
  fromHex,
  prepareSettlement,
  signSettlement,
  type ChannelParameters,
} from '@seedfleet/payment-channel';
import { keyPairOf } from '@seedfleet/wallet';
import type { z } from 'zod';
import type { ProofBuyer } from '../buyer/buyer.js';
import { channelOf } from '../world/states.js';
import type { World } from '../world/world.js';

export type SettlementAsk = z.output<typeof signerSettlement.request>;
export type ChildAsk = z.output<typeof signerChild.request>;
export type SweepAsk = z.output<typeof signerSweep.request>;

/** A channel that was sold and settled, with everything that its buyer and the settler know of it. */
export interface Sold {
  readonly seedId: string;
  readonly path: SettlementAsk['path'];
  readonly parameters: ChannelParameters;
  /** The payment that was settled. */
  readonly k: number;
  readonly settlement: Uint8Array;
  /** The buyer's: a thief may be in league with one. */
  readonly buyerKey: Uint8Array;
}

export async function soldChannel(world: World, buyer: ProofBuyer): Promise<Sold> {
  const { parameters, contract } = buyer;
  if (parameters === undefined) throw new Error('never joined');
  const { keyEpoch: epoch, keyIndex: index, k, settlementTxid } = await channelOf(world, buyer);
  const [seed] = await world.database.query<{ seedId: string }>('SELECT "seedId" FROM channel.key_epoch LIMIT 1');
  const found = await world.chain.transaction(settlementTxid ?? '');
  if (seed === undefined || found === undefined) throw new Error('never settled');
  return {
    seedId: seed.seedId,
    path: { epoch, index },
    parameters,
    k,
    settlement: fromHex(found.hex),
    buyerKey: contract.privateKey,
  };
}

/** The settlement of a payment that the buyer signs for whatever terms these are. */
export function settlementOf(sold: Sold, k = sold.k, change: Partial<ChannelParameters> = {}): SettlementAsk {
  const { seedId, path, buyerKey } = sold;
  const parameters = { ...sold.parameters, ...change };
  const buyerSignature = signSettlement(prepareSettlement(parameters), k, buyerKey, bestEcdsa());
  return { seedId, path, channel: onWire(parameters), k, buyerSignature };
}

export function childOf({ seedId, path, parameters, settlement }: Sold, feeSat: bigint): ChildAsk {
  const coins = [{ path, transaction: 0, vout: 1 }];
  return { seedId, channel: onWire(parameters), transactions: [settlement], coins, feeSat };
}

export function sweepOf({ seedId, path, settlement }: Sold, feeSat: bigint): SweepAsk {
  return { seedId, transactions: [settlement], coins: [{ path, transaction: 0, vout: 1 }], feeSat, index: null };
}

/** A channel that was never funded, of any worth: its buyer is the thief. */
export function inventedChannel(
  { seedId, parameters }: Sold,
  path: SettlementAsk['path'],
  ours: { readonly publicKey: Uint8Array; readonly payoutKeyHash: Uint8Array },
  seed: number,
): Omit<Sold, 'settlement'> {
  const thief = keyPairOf(new Uint8Array(32).fill(seed));
  return {
    seedId,
    path,
    k: 90,
    buyerKey: thief.privateKey,
    parameters: {
      ...parameters,
      priceSat: 100_000n,
      fundingValueSat: 10_000_000n,
      fundingOutpoint: { txid: new Uint8Array(32).fill(seed), index: 0 },
      buyerPublicKey: thief.publicKey,
      buyerKeyHash: thief.keyHash,
      sellerPublicKey: ours.publicKey,
      sellerKeyHash: ours.payoutKeyHash,
    },
  };
}

function onWire({ network: _, ...channel }: ChannelParameters): SettlementAsk['channel'] {
  return channel;
}
