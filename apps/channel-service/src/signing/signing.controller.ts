import { Controller, Inject } from '@nestjs/common';
import {
  Handles,
  signerChild,
  signerHashAddress,
  signerIdentity,
  signerPublicKey,
  signerSettlement,
  signerSplit,
  signerSweep,
} from '@seedfleet/bus';
import type { Network } from '@seedfleet/payment-channel';
import { Counter, Histogram, LOGGER, Registry, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import type { CoinOrder, SignedTreasury, Signer } from '../keys/signer.js';
import { NETWORK, SIGNER } from '../tokens.js';
import { LogRestored, RateLimited } from './guarded-signer.js';
import { SigningLog } from './signing-log.js';

type Ask<C extends { readonly request: z.ZodType }> = z.output<C['request']>;
type Answer<C extends { readonly reply: z.ZodType }> = z.output<C['reply']>;
type Refused = { readonly given: false; readonly code: string };

export type Identity = Omit<Answer<typeof signerIdentity>, 'logSeq'>;
/** Injection token of the identity. */
export const IDENTITY = Symbol('identity');

const KINDS = ['public-key', 'hash-address', 'settlement', 'child', 'sweep', 'split'] as const;

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** Answers the settler. What is refused is counted and logged: an honest settler asks for nothing of the kind. */
@Controller()
export class SigningController {
  private readonly answers: Counter<'kind' | 'result'>;
  private readonly refusals: Counter<'kind'>;
  private readonly seconds: Histogram<'kind'>;

  constructor(
    @Inject(SIGNER) private readonly signer: Signer,
    @Inject(SigningLog) private readonly log: SigningLog,
    @Inject(IDENTITY) private readonly self: Identity,
    @Inject(NETWORK) private readonly network: Network,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Registry) registry: Registry,
  ) {
    this.answers = new Counter({
      name: 'seedfleet_signer_answers_total',
      help: 'Orders to the signer, by kind and result: given, failed, or the code of why not',
      labelNames: ['kind', 'result'],
      registers: [registry],
    });
    this.refusals = new Counter({
      name: 'seedfleet_signer_refusals_total',
      help: 'Orders that were refused, by kind; each kind is there from the start, so that the first one shows',
      labelNames: ['kind'],
      registers: [registry],
    });
    for (const kind of KINDS) this.refusals.inc({ kind }, 0);
    this.seconds = new Histogram({
      name: 'seedfleet_signer_answer_seconds',
      help: 'Time from an order to its answer, the flush of the log included',
      labelNames: ['kind'],
      buckets: SECONDS,
      registers: [registry],
    });
  }

  @Handles(signerIdentity)
  identity(): Answer<typeof signerIdentity> {
    return { ...this.self, logSeq: this.log.position.seq };
  }

  @Handles(signerPublicKey)
  publicKey(ask: Ask<typeof signerPublicKey>): Promise<Answer<typeof signerPublicKey>> {
    return this.answer('public-key', ask, async () => {
      const { publicKey, payoutKeyHash } = await this.signer.publicKey(ask.path);
      return { given: true, publicKey, payoutKeyHash };
    });
  }

  @Handles(signerHashAddress)
  hashAddress(ask: Ask<typeof signerHashAddress>): Promise<Answer<typeof signerHashAddress>> {
    return this.answer('hash-address', ask, async () => ({
      given: true,
      hash: await this.signer.hashAddress(ask.address),
    }));
  }

  @Handles(signerSettlement)
  settlement(ask: Ask<typeof signerSettlement>): Promise<Answer<typeof signerSettlement>> {
    return this.answer('settlement', ask, async () => {
      const { path, k, buyerSignature } = ask;
      const channel = { ...ask.channel, network: this.network };
      const signed = await this.signer.signSettlement({ path, channel, k, buyerSignature });
      return signed.ok ? { given: true, ...signed.transaction } : { given: false, code: signed.code };
    });
  }

  @Handles(signerChild)
  child(ask: Ask<typeof signerChild>): Promise<Answer<typeof signerChild>> {
    return this.answer('child', ask, async () => {
      const [settlement, ...coins] = coinsOf(ask);
      if (settlement === undefined) return { given: false, code: 'malformed' };
      const channel = { ...ask.channel, network: this.network };
      return treasury(await this.signer.signChild({ settlement, channel, coins, feeSat: ask.feeSat }));
    });
  }

  @Handles(signerSweep)
  sweep(ask: Ask<typeof signerSweep>): Promise<Answer<typeof signerSweep>> {
    return this.answer('sweep', ask, async () =>
      treasury(await this.signer.signSweep({ coins: coinsOf(ask), feeSat: ask.feeSat, index: ask.index })),
    );
  }

  @Handles(signerSplit)
  split(ask: Ask<typeof signerSplit>): Promise<Answer<typeof signerSplit>> {
    return this.answer('split', ask, async () => {
      const { feeSat, count, valueSat } = ask;
      return treasury(await this.signer.signSplit({ coins: coinsOf(ask), feeSat, count, valueSat }));
    });
  }

  /** Rejects where the log can't be written: the one who asked is told that nothing came of it. */
  private async answer<A extends { readonly given: boolean }>(
    kind: (typeof KINDS)[number],
    { seedId }: { readonly seedId: string },
    give: () => Promise<A | Refused>,
  ): Promise<A | Refused> {
    const end = this.seconds.startTimer({ kind });
    const reply = await this.judged(seedId, give).catch((failure: unknown) => {
      this.answers.inc({ kind, result: 'failed' });
      throw failure;
    });
    end();
    const result = 'code' in reply ? reply.code : 'given';
    this.answers.inc({ kind, result });
    if (result !== 'given') {
      this.refusals.inc({ kind });
      this.logger.warn({ kind, code: result }, 'an order was refused');
    }
    return reply;
  }

  private async judged<A>(seedId: string, give: () => Promise<A | Refused>): Promise<A | Refused> {
    if (seedId !== this.self.seedId) return { given: false, code: 'other-seed' };
    try {
      return await give();
    } catch (failure) {
      if (failure instanceof RateLimited || failure instanceof LogRestored) return { given: false, code: failure.code };
      throw failure;
    }
  }
}

type Coins = Pick<Ask<typeof signerSweep>, 'transactions' | 'coins'>;

/** A transaction that is not there makes no coin of ours. */
function coinsOf({ transactions, coins }: Coins): CoinOrder[] {
  return coins.map(({ path, transaction, vout }) => ({
    path,
    transaction: transactions[transaction] ?? new Uint8Array(),
    vout,
  }));
}

function treasury(signed: SignedTreasury): Answer<typeof signerSweep> {
  if (!signed.ok) return { given: false, code: signed.code };
  const { transaction, inputSat, outputsSat } = signed;
  return { given: true, ...transaction, inputSat, outputsSat: [...outputsSat] };
}
