import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { idWithinSale, saleIdOf } from '@seedfleet/bus';
import type { Network } from '@seedfleet/payment-channel';
import { PrismaClient } from '@seedfleet/persistence';
import { childrenHelp, relayFloorSat, shortestLockUnits, type Policy } from '@seedfleet/policy';
import { Counter, faultPoint, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { ChainStatus, feeEstimates } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { findChannelByJoin } from '../channels/channel-repository.js';
import { isUniqueViolation } from '../channels/database.js';
import { isLocalPeer } from '../funding/local-address.js';
import { DATABASE, NETWORK, POLICY } from '../tokens.js';
import { gateJoin, type GateRefusal, type OpenReply, type OpenRequest } from './join-gate.js';
import { insertChannel, isQuarantined, joinsWaiting } from './opening-repository.js';

/** Opens channels: the gate, a fresh key, and the row that says so before the node may answer the peer. */
@Injectable()
export class OpeningService {
  private readonly opened: Counter<'result'>;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainStatus) private readonly chain: ChainStatus,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.opened = new Counter({
      name: 'seedfleet_channel_open_total',
      help: 'Requests to open a channel, by result (opened, or the code of the refusal)',
      labelNames: ['result'],
      registers: [registry],
    });
  }

  /** Opens a channel for a join, or says why not. The same join gives the same channel. */
  async open(request: OpenRequest): Promise<OpenReply> {
    const reply = await this.decide(request);
    const result = reply.opened ? 'opened' : reply.code;
    this.opened.inc({ result });
    this.logger.info(
      {
        saleId: saleIdOf(request.joinId),
        ...(reply.opened ? { channelId: reply.channelId } : { code: reply.code, detail: reply.detail }),
        infoHash: request.infoHash,
        nodeId: request.nodeId,
        peer: request.peer.address,
      },
      reply.opened ? 'channel opened' : 'join refused',
    );
    return reply;
  }

  private async decide(request: OpenRequest): Promise<OpenReply> {
    const known = await findChannelByJoin(this.prisma, request.joinId);
    if (known !== null) return sameJoin(known, request);
    faultPoint('intake.open.before-store');
    if (await isQuarantined(this.prisma, request.nodeId)) {
      return refused({ code: 'node-quarantined', detail: 'a person has to release this node', revisedTerms: null });
    }
    const report = this.chain.current();
    if (report === null) {
      return refused({ code: 'chain-unknown', detail: 'no recent report of the chain', revisedTerms: null });
    }
    const { peer, nodeId } = request;
    const counts = await joinsWaiting(this.prisma, { nodeId, address: peer.address, subnet: peer.subnet });
    const waiting = { ...counts, isLocal: isLocalPeer(peer.address, this.network) };
    const refusal = gateJoin(
      request,
      feeEstimates(report),
      waiting,
      this.policy,
      shortestLockUnits(this.network, this.policy),
      childrenHelp(this.network) ? 0n : relayFloorSat(report.feeRates.mempoolMinimumSatPerKvb, this.policy),
    );
    return refusal === null ? this.insert(request) : refused(refusal);
  }

  private async insert(request: OpenRequest): Promise<OpenReply> {
    try {
      const row = await insertChannel(this.prisma, idWithinSale(saleIdOf(request.joinId), randomUUID()), request);
      faultPoint('intake.open.after-store');
      if (row !== null) return opened(row);
      return refused({ code: 'no-contract-key', detail: 'the pool of keys is empty', revisedTerms: null });
    } catch (failure) {
      // The same join came twice at once: the other one's channel counts, and our key stays unused with it.
      if (!isUniqueViolation(failure)) throw failure;
      const row = await findChannelByJoin(this.prisma, request.joinId);
      if (row === null) throw failure;
      return sameJoin(row, request);
    }
  }
}

function sameJoin(row: ChannelRow, request: OpenRequest): OpenReply {
  if (row.nodeId === request.nodeId && row.infoHash === request.infoHash) return opened(row);
  return refused({ code: 'join-id-taken', detail: 'this id belongs to another join', revisedTerms: null });
}

function opened(row: ChannelRow): OpenReply {
  return {
    opened: true,
    channelId: row.id,
    sellerPublicKey: row.sellerPublicKey,
    sellerKeyHash: row.sellerKeyHash,
  };
}

function refused(refusal: GateRefusal): OpenReply {
  return { opened: false, ...refusal };
}
