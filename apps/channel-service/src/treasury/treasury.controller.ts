import { Controller, Inject } from '@nestjs/common';
import { Handles, treasuryGet, treasurySweep } from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import { keepBack, type Policy } from '@seedfleet/policy';
import type { z } from 'zod';
import { DATABASE, POLICY } from '../tokens.js';
import { readHoldings, spareCoins } from './holdings.js';
import { Treasurer } from './treasurer.js';
import type { TreasuryRow } from './treasury-row.js';

const SHOWN = 20;

/** The operator's questions and orders about the treasury. */
@Controller()
export class TreasuryController {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(Treasurer) private readonly treasurer: Treasurer,
    @Inject(POLICY) private readonly policy: Policy,
  ) {}

  @Handles(treasuryGet)
  async get(): Promise<z.output<typeof treasuryGet.reply>> {
    const { hotSat, sweptSat, feesSat } = await readHoldings(this.prisma);
    const coins = await spareCoins(this.prisma, this.policy.burial.finalConfirmations);
    const plan = await this.treasurer.plan(false);
    const [noted] = await this.prisma.treasuryDestination.findMany({ orderBy: { id: 'desc' }, take: 1 });
    const rows = await this.prisma.$queryRaw<TreasuryRow[]>`
      SELECT * FROM "channel"."treasury_transaction" ORDER BY "createdAt" DESC LIMIT ${SHOWN}`;
    return {
      destination: this.treasurer.destination?.label ?? null,
      destinationSince: noted === undefined ? null : Math.floor(noted.since.getTime() / 1_000),
      nextAddress: await this.treasurer.nextAddress(),
      hotSat,
      spareSat: coins.reduce((sum, { valueSat }) => sum + valueSat, 0n),
      spareCoins: coins.length,
      keptCoins: keepBack(coins, this.policy).kept.length,
      sweptSat,
      feesSat,
      next: plan === null ? { kind: 'none', why: 'chain-unknown' } : { kind: plan.kind, why: plan.why },
      transactions: rows.map(({ txid, kind, state, reason, inputSat, feeSat, confirmations, createdAt }) => ({
        txid,
        kind,
        state,
        reason,
        inputSat,
        feeSat,
        confirmations,
        madeAt: Math.floor(createdAt.getTime() / 1_000),
      })),
    };
  }

  @Handles(treasurySweep)
  async sweep({ dryRun }: { dryRun: boolean }): Promise<z.output<typeof treasurySweep.reply>> {
    const { plan, txid, address: destination } = await this.treasurer.act({ byHand: true, dryRun });
    if (plan.kind === 'none') {
      return { kind: 'none', why: plan.why, destination, inputs: 0, inputSat: 0n, feeSat: 0n, txid: null };
    }
    const inputSat = plan.coins.reduce((sum, { valueSat }) => sum + valueSat, 0n);
    const { kind, why, feeSat } = plan;
    return { kind, why, destination, inputs: plan.coins.length, inputSat, feeSat, txid };
  }
}
