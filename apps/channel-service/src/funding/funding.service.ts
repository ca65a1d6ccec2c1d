import { Inject, Injectable } from '@nestjs/common';
import type { Ecdsa, Network } from '@seedfleet/payment-channel';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import type { Policy } from '@seedfleet/policy';
import { Counter, faultPoint, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import type { ChannelRow } from '../channels/channel-row.js';
import { findChannel } from '../channels/channel-repository.js';
import { moveChannel, type FundingVerdict } from '../channels/transition.js';
import { DATABASE, ECDSA, NETWORK, POLICY } from '../tokens.js';
import { FundingFollower } from './funding-follower.js';
import { checkReady, isSameReady, type FundRequest } from './ready.js';
import { refuseVerdict, storedVerdict, waitVerdict } from './verdicts.js';

/** Outputs beyond this index do not exist: no transaction that is relayed has as many. */
const MAX_VOUT = 0x7fff_ffff;

/** Takes `ready` and gives the first verdict on its funding. */
@Injectable()
export class FundingService {
  private readonly requests: Counter<'result'>;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(FundingFollower) private readonly follower: FundingFollower,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(ECDSA) private readonly ecdsa: Ecdsa,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.requests = new Counter({
      name: 'seedfleet_channel_fund_total',
      help: 'Answers to requests to fund a channel, by verdict and code',
      labelNames: ['result'],
      registers: [registry],
    });
  }

  /** The verdict on a `ready`. Asking again is harmless: the first `ready` of a channel counts. */
  async fund(request: FundRequest): Promise<FundingVerdict> {
    const verdict = await this.decide(request);
    this.requests.inc({ result: `${verdict.kind}:${verdict.code}` });
    const { kind, code, version, detail } = verdict;
    this.logger.info(
      { channelId: request.channelId, nodeId: request.nodeId, fundingTxid: request.txid, kind, code, version, detail },
      'funding verdict',
    );
    return verdict;
  }

  private async decide(request: FundRequest): Promise<FundingVerdict> {
    const row = await findChannel(this.prisma, request.channelId);
    if (row === null) return strangerVerdict(request.channelId, 'unknown-channel');
    if (row.nodeId !== request.nodeId) return strangerVerdict(request.channelId, 'foreign-channel');
    if (row.buyerPublicKey === null) return this.takeReady(row, request);
    if (!isSameReady(row, request)) {
      return { ...refuseVerdict(row, 'ready-differs', 'another ready was given before'), ...identity(row) };
    }
    return storedVerdict(await this.follower.look(row));
  }

  private async takeReady(row: ChannelRow, request: FundRequest): Promise<FundingVerdict> {
    if (row.state !== 'joined') return storedVerdict(row);
    const context = { network: this.network, policy: this.policy, ecdsa: this.ecdsa };
    const checked =
      request.vout > MAX_VOUT
        ? ({ ok: false, code: 'no-such-output', amounts: { kMin: 0, kCap: 0 } } as const)
        : checkReady(row, request, context);
    const { kMin, kCap } = checked.amounts;
    const limited = { ...row, kMin: BigInt(kMin), kCap: BigInt(kCap) };
    if (!checked.ok) {
      const refused = await moveChannel(this.prisma, {
        channel: row,
        to: 'refused',
        reason: checked.code,
        data: { txid: request.txid, vout: request.vout, valueSat: request.valueSat.toString() },
        nextActionInSeconds: null,
        verdict: refuseVerdict(limited, checked.code, ''),
      });
      return storedVerdict(refused ?? (await this.reread(row)));
    }
    faultPoint('intake.fund.before-store');
    const ready = await moveChannel(this.prisma, {
      channel: row,
      to: 'joined',
      reason: 'ready',
      data: { txid: request.txid, vout: request.vout, valueSat: request.valueSat.toString(), kMin, kCap },
      nextActionInSeconds: 1,
      verdict: waitVerdict(limited, 'funding-unseen', ''),
      set: [
        Prisma.sql`"buyerPublicKey" = ${request.buyerPublicKey}, "buyerKeyHash" = ${request.buyerKeyHash},
          "fundingValueSat" = ${request.valueSat}, "fundingTxid" = ${request.txid}, "fundingVout" = ${request.vout},
          "kMin" = ${limited.kMin}, "kCap" = ${limited.kCap}`,
      ],
    });
    faultPoint('intake.fund.after-store');
    return storedVerdict(await this.follower.look(ready ?? (await this.reread(row))));
  }

  private async reread(row: ChannelRow): Promise<ChannelRow> {
    return (await findChannel(this.prisma, row.id)) ?? row;
  }
}

function identity(row: ChannelRow): Pick<FundingVerdict, 'channelId' | 'version'> {
  return { channelId: row.id, version: row.version };
}

/**
 * For a channel that is not the asking node's: it learns nothing about it. The version outranks every verdict from before
 * the database was set back to a time without the channel, or the node would go on serving what nobody can settle.
 */
function strangerVerdict(channelId: string, code: string): FundingVerdict {
  return {
    channelId,
    version: Number.MAX_SAFE_INTEGER,
    kind: 'refuse',
    allowanceBytes: 0,
    code,
    detail: '',
    kMin: 0,
    kCap: 0,
    deadlineMtp: null,
  };
}
