import { Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';

/** Slips of the hand that cost nothing. */
const FREE_FAILURES = 5;
/** The first wait; each further failure doubles it. */
const FIRST_WAIT_S = 2;
/** Longer would only keep out the operator who shares the address. */
const LONGEST_WAIT_S = 900;
/** An address that failed a day ago starts anew. */
const FORGET_MS = 86_400_000;

/**
 * Slows down whoever tries keys: after some failures an address has to wait, longer with each. Kept in the database, so
 * that neither a restart nor another instance forgets.
 */
@Injectable()
export class SignInLock {
  constructor(private readonly prisma: PrismaClient) {}

  /** Seconds that this address still has to wait; 0 when it may try. */
  async waitSeconds(address: string): Promise<number> {
    const row = await this.prisma.signInFailure.findUnique({ where: { address } });
    const waitMs = (row?.lockedUntil?.getTime() ?? 0) - Date.now();
    return waitMs > 0 ? Math.ceil(waitMs / 1_000) : 0;
  }

  async failed(address: string): Promise<void> {
    await this.prisma.signInFailure.deleteMany({ where: { lastAt: { lt: new Date(Date.now() - FORGET_MS) } } });
    await this.prisma.$executeRaw`
      INSERT INTO market.sign_in_failure AS f (address, failures) VALUES (${address}, 1)
      ON CONFLICT (address) DO UPDATE SET
        failures = f.failures + 1,
        "lastAt" = now(),
        "lockedUntil" = CASE WHEN f.failures >= ${FREE_FAILURES} THEN
          now() + least(${LONGEST_WAIT_S}::float8,
                        ${FIRST_WAIT_S} * 2.0 ^ least(f.failures - ${FREE_FAILURES}, 20)) * interval '1 second'
        END`;
  }

  async succeeded(address: string): Promise<void> {
    await this.prisma.signInFailure.deleteMany({ where: { address } });
  }
}
