import { randomUUID } from 'node:crypto';
import { CoreNode, succeed, type BitcoinNode } from '@seedfleet/bitcoin-node';
import { createPrismaClient, deployMigrations, type PrismaClient } from '@seedfleet/persistence';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ChainFollower } from '../following/chain-follower.js';
import { ChainStore } from '../store/chain-store.js';
import { must, WalletBench } from '../testing/wallet-bench.js';
import { Broadcaster } from './broadcaster.js';

let prisma: PrismaClient;
let wallet: WalletBench;
let node: CoreNode;

beforeAll(async () => {
  const postgresUrl = inject('postgresUrl');
  const rpcUrl = inject('rpcUrl');
  const name = `chain_${randomUUID().slice(0, 8)}`;
  const admin = createPrismaClient(postgresUrl, 1);
  await admin.$executeRawUnsafe(`CREATE DATABASE "${name}"`);
  await admin.$disconnect();
  const database = new URL(postgresUrl);
  database.pathname = `/${name}`;
  await deployMigrations(database.href);
  prisma = createPrismaClient(database.href, 2);
  wallet = new WalletBench(rpcUrl);
  await wallet.ready();
  node = new CoreNode({ url: rpcUrl });
});

afterAll(async () => {
  node.close();
  wallet.close();
  await prisma.$disconnect();
});

it('sends parent and child one after the other to a node that takes no packages', async () => {
  const capabilities = await must(node.capabilities());
  // As the nodes of Bitcoin Cash are; everything else is asked of the real node.
  const plain: BitcoinNode = Object.create(node, {
    capabilities: { value: () => Promise.resolve(succeed({ ...capabilities, packages: false })) },
    submitPackage: { value: () => Promise.reject(new Error('it has no such call')) },
    broadcast: { value: (hex: string) => node.broadcast(hex) },
    unspentOutput: { value: node.unspentOutput.bind(node) },
    transaction: { value: node.transaction.bind(node) },
  }) as BitcoinNode;
  const store = new ChainStore(prisma);
  const broadcaster = new Broadcaster(plain, store, new ChainFollower(plain, store), () => undefined);
  const parent = await wallet.pay(await wallet.coin(), 400n);
  const child = await wallet.pay(parent.coin, 2_000n);
  const order = { txid: child.txid, raw: child.raw, label: 'child', parent: { ...parent, label: 'parent' } };
  expect(await broadcaster.store(order)).toMatchObject({ kind: 'taken' });
  expect((await broadcaster.sendNow(child.txid)).life.state).toBe('mempool');
  expect((await store.broadcast(parent.txid))?.life.state).toBe('mempool');
});
