import { Inject, Injectable } from '@nestjs/common';
import { fundingScript, type Network } from '@seedfleet/payment-channel';
import { Prisma, PrismaClient } from '@seedfleet/persistence';
import { settlementFeeSat, staleQuote, type Policy } from '@seedfleet/policy';
import { Counter, faultPoint, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import { ChainClient, type ChainOutput } from '../chain/chain-client.js';
import { ChainStatus, feeEstimates, type ChainReport } from '../chain/chain-status.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { findChannel, fundingLabel, lookAgain } from '../channels/channel-repository.js';
import { isUniqueViolation, type Database } from '../channels/database.js';
import { channelParameters } from '../channels/parameters.js';
import { moveChannel } from '../channels/transition.js';
import { AWAITED_PAYMENT_SECONDS } from '../settlement/awaited-payment.js';
import { DATABASE, NETWORK, POLICY } from '../tokens.js';
import { absenceOf, type Conflict } from './absence.js';
import { checkUnclaimedOutput, decideFunding, type FundingDecision } from './funding-decision.js';
import { lockExposure, readNeighbours } from './neighbours.js';
import { isSameVerdict, refuseVerdict, storedVerdict, verdictOf, waitVerdict } from './verdicts.js';

type FoundOutput = Extract<ChainOutput, { found: true }>;

/** When an open channel is looked at again, seconds, if no news of the chain comes earlier. */
const LOOK_SECONDS = { joined: 60, unreachable: 2, waiting: 3, allowance: 15, funded: 300 } as const;

/** Follows an open channel's funding output from the join to the end of serving, and tells the node what it may serve. */
@Injectable()
export class FundingFollower {
  private readonly verdicts: Counter<'kind' | 'code'>;

  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(ChainClient) private readonly chain: ChainClient,
    @Inject(ChainStatus) private readonly status: ChainStatus,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(POLICY) private readonly policy: Policy,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.verdicts = new Counter({
      name: 'seedfleet_funding_verdicts_total',
      help: 'Changed funding verdicts, by kind and code',
      labelNames: ['kind', 'code'],
      registers: [registry],
    });
  }

  /** Asks the chain how the channel stands and stores what changed. Returns the row as it is afterwards. */
  async look(row: ChannelRow): Promise<ChannelRow> {
    if (row.state !== 'joined' && row.state !== 'funding-seen' && row.state !== 'funded') return row;
    if (row.fundingTxid === null || row.fundingVout === null) return this.lookAtQuote(row);
    const report = this.status.current();
    const reply = await this.chain.output(row.fundingTxid, row.fundingVout);
    if (!reply.ok || report === null) return this.again(row, LOOK_SECONDS.unreachable);
    if (!reply.value.found) return this.unseen(row, reply.value.conflict);
    return row.outpointClaimed ? this.decide(row, reply.value, report) : this.claim(row, reply.value, report);
  }

  /** A joined peer whose quote no longer holds is closed before it funds. */
  private async lookAtQuote(row: ChannelRow): Promise<ChannelRow> {
    const report = this.status.current();
    if (report === null) return this.again(row, LOOK_SECONDS.joined);
    const quote = { settlementFeeSat: row.settlementFeeSat, ageMs: Date.now() - row.createdAt.getTime() };
    const stale = staleQuote(quote, settlementFeeSat(feeEstimates(report), this.policy), this.policy);
    if (stale === undefined) return this.again(row, LOOK_SECONDS.joined);
    return this.store(row, {
      channel: row,
      to: 'join-expired',
      reason: stale,
      nextActionInSeconds: null,
      verdict: refuseVerdict(row, stale, ''),
    });
  }

  private async unseen(row: ChannelRow, conflict: Conflict | null): Promise<ChannelRow> {
    const { id, stateReason, stateEnteredAt } = row;
    const absence = absenceOf(row, conflict, Date.now(), this.policy);
    if (absence.kind === 'wait' && (!row.outpointClaimed || stateReason === absence.reason)) {
      return this.again(row, absence.nextLookSeconds);
    }
    if (absence.kind === 'wait') {
      // Serving stops at once; which of two is mined, or whether it is gone for good, shows with time.
      this.logger.warn({ channelId: id, ...conflict, reason: absence.reason }, 'the funding transaction is gone');
      return this.store(row, {
        channel: row,
        to: 'funding-seen',
        reason: absence.reason,
        data: conflict === null ? {} : { detail: conflict.txid },
        nextActionInSeconds: absence.nextLookSeconds,
        verdict: waitVerdict(row, absence.code, absence.detail),
        set: [Prisma.sql`"fundingConfirmations" = 0, "fundingHeight" = NULL, "deadlineMtp" = NULL`],
      });
    }
    const waitedSeconds = Math.floor((Date.now() - stateEnteredAt.getTime()) / 1_000);
    return this.store(row, {
      channel: row,
      to: row.outpointClaimed ? 'funding-missing' : 'refused',
      reason: absence.reason,
      data: conflict === null ? {} : { detail: conflict.txid, height: conflict.height },
      // Gone after it was served: what was paid waits with the settler for the transaction to come back.
      nextActionInSeconds: row.outpointClaimed ? 0 : null,
      verdict: refuseVerdict(row, absence.reason, conflict === null ? `for ${waitedSeconds} s` : `by ${conflict.txid}`),
      set: [Prisma.sql`"frozenK" = "k", "closeReason" = ${absence.reason}`],
    });
  }

  /** Only an output that commits to our fresh key is claimed; only a claimed and watched one is served. */
  private async claim(row: ChannelRow, output: FoundOutput, report: ChainReport): Promise<ChannelRow> {
    const channel = channelParameters(row, this.network);
    if (channel === null || row.fundingTxid === null || row.fundingVout === null) return row;
    const fault = checkUnclaimedOutput(output, channel);
    if (fault !== null) return this.apply(row, output, fault);
    const { fundingTxid, fundingVout } = row;
    faultPoint('intake.claim.before-watch');
    const watched = await this.chain.watch(fundingTxid, fundingVout, fundingScript(channel), fundingLabel(row.id));
    if (!watched.ok) return this.again(row, LOOK_SECONDS.unreachable);
    faultPoint('intake.claim.after-watch');
    try {
      const claimed = await moveChannel(this.prisma, {
        channel: row,
        to: 'funding-seen',
        reason: 'outpoint-claimed',
        nextActionInSeconds: 1,
        set: [Prisma.sql`"outpointClaimed" = TRUE, "fundingSeenAt" = now()`],
      });
      faultPoint('intake.claim.after-store');
      if (claimed === null) return this.reread(row);
      // The output was looked at before the claim: news since then is still to be looked at.
      return this.decide({ ...claimed, wakes: row.wakes }, output, report);
    } catch (failure) {
      if (!isUniqueViolation(failure)) throw failure;
      return this.apply(row, output, { kind: 'refuse', code: 'outpoint-taken', detail: 'another channel holds it' });
    }
  }

  /** Decides and reserves in one transaction, so that two channels never both get the last of a limit. */
  private async decide(row: ChannelRow, output: FoundOutput, report: ChainReport): Promise<ChannelRow> {
    const channel = channelParameters(row, this.network);
    if (channel === null) return row;
    const decided = await this.prisma.$transaction(async (transaction) => {
      await lockExposure(transaction);
      const neighbours = await readNeighbours(transaction, row, this.network);
      const serving = storedVerdict(row).kind;
      const decision = decideFunding(row, output, {
        channel,
        network: this.network,
        policy: this.policy,
        report,
        // Whoever is being served already has passed the limits, and holds what later ones must leave.
        neighbours: serving === 'all' || serving === 'allowance' ? withoutLimits(neighbours) : neighbours,
        waitedMs: Date.now() - (row.fundingSeenAt ?? row.createdAt).getTime(),
      });
      return this.apply(row, output, decision, transaction);
    });
    faultPoint('intake.verdict.after-store');
    return decided;
  }

  private async apply(
    row: ChannelRow,
    output: FoundOutput,
    decision: FundingDecision,
    database: Database = this.prisma,
  ): Promise<ChannelRow> {
    const verdict = verdictOf(row, decision);
    const facts = Prisma.sql`"fundingConfirmations" = ${output.confirmations}, "fundingHeight" = ${output.height}`;
    if (decision.kind === 'refuse') {
      // Before the claim nothing was served. After it, what was paid is settled, whatever happened to the output.
      const to = row.outpointClaimed ? 'closing' : 'refused';
      return this.store(
        row,
        {
          channel: row,
          to,
          reason: decision.code,
          data: { detail: decision.detail },
          // The settler freezes k only after payments on their way had their time: the broker has acknowledged them.
          nextActionInSeconds: row.outpointClaimed ? AWAITED_PAYMENT_SECONDS : null,
          verdict,
          set: row.outpointClaimed ? [facts, Prisma.sql`"closeReason" = ${decision.code}`] : [facts],
        },
        database,
      );
    }
    const next = nextLook(decision);
    const to = decision.kind === 'all' ? 'funded' : 'funding-seen';
    if (row.state === to && isSameVerdict(storedVerdict(row), { ...verdict })) {
      return this.again(row, next, [facts], database);
    }
    const allowance =
      decision.kind === 'allowance' ? Prisma.sql`${BigInt(decision.bytes)}` : Prisma.sql`"allowanceBytes"`;
    return this.store(
      row,
      {
        channel: row,
        to,
        reason: verdict.code,
        data: { confirmations: output.confirmations, height: output.height, detail: verdict.detail },
        nextActionInSeconds: next,
        verdict,
        set: [facts, Prisma.sql`"deadlineMtp" = ${decision.deadlineMtp}, "allowanceBytes" = ${allowance}`],
      },
      database,
    );
  }

  private async store(
    row: ChannelRow,
    move: Parameters<typeof moveChannel>[1],
    database: Database = this.prisma,
  ): Promise<ChannelRow> {
    faultPoint('intake.verdict.before-store');
    const moved = await moveChannel(database, move);
    if (moved === null) return this.reread(row);
    const verdict = storedVerdict(moved);
    this.verdicts.inc({ kind: verdict.kind, code: verdict.code });
    this.logger.info(
      {
        channelId: row.id,
        infoHash: row.infoHash,
        peer: row.peerAddress,
        from: row.state,
        to: moved.state,
        reason: moved.stateReason,
        verdict: verdict.kind,
      },
      'channel moved',
    );
    return moved;
  }

  private async again(
    row: ChannelRow,
    inSeconds: number,
    set: readonly Prisma.Sql[] = [],
    database: Database = this.prisma,
  ): Promise<ChannelRow> {
    await lookAgain(database, row, inSeconds, set);
    return row;
  }

  private async reread(row: ChannelRow): Promise<ChannelRow> {
    return (await findChannel(this.prisma, row.id)) ?? row;
  }
}

function nextLook(decision: Exclude<FundingDecision, { kind: 'refuse' }>): number {
  if (decision.kind === 'all') return LOOK_SECONDS.funded;
  return decision.kind === 'allowance' ? LOOK_SECONDS.allowance : LOOK_SECONDS.waiting;
}

function withoutLimits(neighbours: Awaited<ReturnType<typeof readNeighbours>>): typeof neighbours {
  return {
    exposure: {
      ...neighbours.exposure,
      subnetDayBytes: 0,
      subnetTorrentPieces: 0,
      nodeBytes: 0,
      fleetBytes: 0,
      subnetAbandonedDay: 0,
    },
    belowMinOfSubnetAndTorrent: 0,
  };
}
