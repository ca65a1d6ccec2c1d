import { policyWith } from '@seedfleet/policy';
import { createLogger, Registry } from '@seedfleet/service-kit';
import { expect, it } from 'vitest';
import type { TorrentOnSale } from '../content/shelf.js';
import { JoinPlaces } from '../limits/join-places.js';
import { originOf } from '../limits/origin.js';
import { SourceScores } from '../limits/source-scores.js';
import { NodeMetrics } from '../metrics/node-metrics.js';
import { ChannelOpening } from './channel-opening.js';
import type { SellingServices } from './services.js';

const TERMS = { minPrice: 1n, minLock: 20, settlementFee: 434n, minContractFeePerKb: 1_000n, maxSellers: 5 };
const BUYER = { maxPrice: 1n, maxLock: 20, minNumberOfSellers: 1, maxContractFeePerKb: 1_000n };

it('notes a channel before the buyer is told of it, so that a crash leaves no join that nobody ends', async () => {
  const order: string[] = [];
  const value = {
    opened: true,
    channelId: 'id',
    sellerPublicKey: new Uint8Array(33),
    sellerKeyHash: new Uint8Array(20),
  };
  const sources = new SourceScores(
    policyWith(),
    () => 0,
    (cost) => order.push(cost),
  );
  const services = {
    nodeId: 'node-1',
    joins: new JoinPlaces(policyWith()),
    sources,
    bus: { request: () => Promise.resolve({ ok: true, value }) },
    payments: { begin: (id: string) => order.push(`begin ${id}`), end: (id: string) => order.push(`end ${id}`) },
    metrics: new NodeMetrics(new Registry()),
  };
  const metainfo = { pieceCount: 1, pieceLengthBytes: 16_384, totalLengthBytes: 1 };
  const opening = new ChannelOpening(services as unknown as SellingServices, {
    saleId: '3f0c2a9e-7b1d-4c55',
    torrent: { infoHash: 'ab'.repeat(20), metainfo } as TorrentOnSale,
    origin: originOf('198.51.100.7', false),
    peerPort: 1,
    client: () => '',
    logger: createLogger('swarm-node', 'fatal'),
    dispatch: ({ type }) => order.push(type),
  });
  await opening.open({ type: 'join-wanted', invitation: 1, buyerTerms: BUYER, sellerTerms: TERMS, index: 0 });
  expect(order).toEqual(['begin id', 'join-accepted']);
  opening.lapsed({ type: 'join-lapsed', invitation: 1, joined: true, reason: 'disconnected' });
  expect(order.slice(2)).toEqual(['abandonedJoin', 'end id']);
});
