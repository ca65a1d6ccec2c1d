import { randomBytes, randomUUID } from 'node:crypto';
import type { Prisma, PrismaClient } from '@seedfleet/persistence';

let nextKeyIndex = 0;

/** A channel as channel-service would have stored it: P 7, F 450, 987 pieces, in state `funded`, nothing paid yet. */
export function channelRow(over: Partial<Prisma.ChannelCreateManyInput> = {}): Prisma.ChannelCreateManyInput {
  return {
    id: randomUUID(),
    joinId: randomUUID(),
    nodeId: 'node-1',
    infoHash: 'a'.repeat(40),
    state: 'funded',
    stateReason: 'confirmed',
    termsIndex: 0,
    priceSat: 7n,
    lockUnits: 20,
    settlementFeeSat: 450n,
    minContractFeePerKbSat: 1_000n,
    maxSellers: 5n,
    buyerMaxPriceSat: 7n,
    buyerMaxLockUnits: 20,
    buyerMaxContractFeePerKbSat: 1_024n,
    pieceCount: 987,
    pieceLength: 131_072,
    totalBytes: 987n * 131_072n,
    keyEpoch: 0,
    keyIndex: (nextKeyIndex += 1),
    sellerPublicKey: new Uint8Array(randomBytes(33)),
    sellerKeyHash: new Uint8Array(randomBytes(20)),
    peerAddress: '127.0.0.1',
    peerSubnet: '127.0.0.0/24',
    peerClient: 'JoyStream 1.0.8',
    fundingValueSat: 7_509n,
    kMin: 143n,
    kCap: 994n,
    signature: new Uint8Array(randomBytes(71)),
    ...over,
  };
}

/** Stores channels and, for each, one event per state named in `story`. */
export async function storeChannels(
  admin: PrismaClient,
  rows: readonly Prisma.ChannelCreateManyInput[],
  story: readonly string[] = ['joined', 'funding-seen', 'funded'],
): Promise<void> {
  await admin.channel.createMany({ data: [...rows] });
  await admin.channelEvent.createMany({
    data: rows.flatMap(({ id }) =>
      story.map((state, version) => ({ channelId: id, version, state, reason: `became-${state}`, data: { version } })),
    ),
  });
}
