import { Body, Controller, Get, HttpCode, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Bus, treasuryGet, treasurySweep, type BusResult } from '@seedfleet/bus';
import { PrismaClient } from '@seedfleet/persistence';
import type { Request } from 'express';
import { actorOf } from '../access/principal.js';
import { auditRow } from '../audit/audit-log.js';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { noQuery } from '../http/schemas.js';
import {
  sweepBody,
  sweepSchema,
  treasurySchema,
  type SweepBody,
  type SweepView,
  type TreasuryView,
} from './treasury.schemas.js';

const TIMEOUT_MS = 10_000;

/** The treasury is the settler's: this service only asks. */
@ApiTags('treasury')
@Controller('v1/treasury')
export class TreasuryController {
  constructor(
    private readonly bus: Bus,
    private readonly prisma: PrismaClient,
  ) {}

  @Get()
  @Endpoint({
    summary: 'What was earned and lies on payout keys',
    access: 'read',
    answer: treasurySchema,
    refusals: [503],
  })
  async get(@Query({ schema: noQuery }) _query: object): Promise<TreasuryView> {
    const found = answered(await this.bus.request(treasuryGet, {}, TIMEOUT_MS));
    return {
      ...found,
      destinationSince: found.destinationSince === null ? null : new Date(found.destinationSince * 1_000).toISOString(),
      hotSat: String(found.hotSat),
      spareSat: String(found.spareSat),
      sweptSat: String(found.sweptSat),
      feesSat: String(found.feesSat),
      transactions: found.transactions.map((one) => ({
        ...one,
        inputSat: String(one.inputSat),
        feeSat: String(one.feeSat),
        madeAt: new Date(one.madeAt * 1_000).toISOString(),
      })),
    };
  }

  @Post('sweep')
  @HttpCode(200)
  @Endpoint({
    summary: "Sweep what is spare to the operator's own wallet, which the settler's configuration names",
    access: 'money',
    status: 200,
    answer: sweepSchema,
    refusals: [503],
  })
  async sweep(
    @Query({ schema: noQuery }) _query: object,
    @Body({ schema: sweepBody }) { dryRun }: SweepBody,
    @Req() request: Request,
  ): Promise<SweepView> {
    // Who asked is on record before anything is sent.
    if (!dryRun) {
      const fact = { actor: actorOf(request), action: 'treasury.sweep', target: 'treasury' };
      await this.prisma.auditEntry.create({ data: auditRow(fact) });
    }
    const done = answered(await this.bus.request(treasurySweep, { dryRun }, TIMEOUT_MS));
    return { ...done, inputSat: String(done.inputSat), feeSat: String(done.feeSat) };
  }
}

function answered<T>(reply: BusResult<T>): T {
  if (reply.ok) return reply.value;
  throw new Problem(503, 'unavailable', `the settler does not answer (${reply.code})`);
}
