import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@seedfleet/persistence';
import { findChannel, lookAgain } from '../channels/channel-repository.js';
import type { ChannelRow } from '../channels/channel-row.js';
import { SignerAway } from '../keys/signer-away.js';
import { DATABASE } from '../tokens.js';
import { Closing } from './closing.js';
import { Following } from './following.js';
import { MissingFunding } from './missing-funding.js';

/** Brings a closed channel's money home: freeze, verify, sign, store, broadcast, follow to burial. */
@Injectable()
export class SettlementService {
  constructor(
    @Inject(DATABASE) private readonly prisma: PrismaClient,
    @Inject(Closing) private readonly closing: Closing,
    @Inject(Following) private readonly following: Following,
    @Inject(MissingFunding) private readonly missing: MissingFunding,
  ) {}

  /**
   * Does what is next for a channel of the settler's. Each step is stored before the next begins. Where the signer is away
   * nothing is wrong with the channel: it waits for the signer as it is.
   */
  async work(row: ChannelRow): Promise<void> {
    try {
      await this.step(row);
    } catch (failure) {
      if (!(failure instanceof SignerAway)) throw failure;
      // Whatever was stored on the way counts: the row may be another by now.
      const now = await findChannel(this.prisma, row.id);
      if (now !== null) await lookAgain(this.prisma, { ...now, wakes: row.wakes }, failure.retryInSeconds);
    }
  }

  private step(row: ChannelRow): Promise<void> {
    switch (row.state) {
      case 'closing':
        return this.closing.close(row);
      case 'funding-missing':
        return this.missing.awaitFunding(row);
      case 'lost':
        return row.settlementTxid === null ? this.missing.awaitFunding(row) : this.following.follow(row);
      case 'settle-rejected':
        // Nothing was signed: the stored signature is not good. Another look is all that can be done without a person.
        return row.settlementTxid === null ? this.closing.close(row) : this.following.follow(row);
      default:
        return this.following.follow(row);
    }
  }
}
