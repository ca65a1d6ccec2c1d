import { existsSync } from 'node:fs';
import { Module, type DynamicModule, type OnApplicationShutdown, type Provider } from '@nestjs/common';
import { bestEcdsa } from '@seedfleet/payment-channel';
import { policyWith } from '@seedfleet/policy';
import { Gauge, type ServiceParts } from '@seedfleet/service-kit';
import { seedId } from '@seedfleet/wallet';
import { openOrCreateSeed, SeedError } from '../keys/seed-store.js';
import { rulesOf } from '../keys/signer-rules.js';
import { SeedSigner } from '../keys/signer.js';
import { NETWORK, SIGNER } from '../tokens.js';
import { signerDestination, type SignerConfig } from './config.js';
import { GuardedSigner } from './guarded-signer.js';
import { IDENTITY, SigningController, type Identity } from './signing.controller.js';
import { segmentsOf } from './log-segments.js';
import { SigningLog } from './signing-log.js';

/** Closes the log when nothing signs any more. */
class LogEnd implements OnApplicationShutdown {
  constructor(private readonly log: SigningLog) {}

  onApplicationShutdown(): Promise<void> {
    return this.log.close();
  }
}

/** The seed in a process of its own, with a broker credential of its own, no database, and a log of everything it signed. */
@Module({})
export class SignerModule {
  /** Rejects with `SeedError` or `SigningLogError`. */
  static async with({ config, logger, health, registry }: ServiceParts<SignerConfig>): Promise<DynamicModule> {
    const { SEED_FILE: seedFile, SEED_KEY_FILE: keyFile, SEEDFLEET_NETWORK: network, SIGNING_LOG: path } = config;
    const isNew = !existsSync(seedFile);
    const hasLog = segmentsOf(path).length > 0;
    if (isNew && hasLog) {
      throw new SeedError(
        'seed-file-missing',
        `SEED_FILE ${seedFile} does not exist, but its log ${path}: restore the file`,
      );
    }
    const seed = openOrCreateSeed({ seedFile, keyFile }, null);
    if (!isNew && !hasLog) {
      logger.warn({ path }, 'there is a seed and no signing log: what was signed before is not known to this signer');
    }
    const policy = policyWith();
    const { FEE_SAT_PER_DAY: fees, LOWER_PAYMENTS_UNTIL: until, UNSURE_KEYS_SIGN_UNTIL: unsure } = config;
    const rules = rulesOf(policy, signerDestination(config));
    const signer = new GuardedSigner(new SeedSigner(seed, network, bestEcdsa(), rules), {
      limits: { ...policy.signer, ...(fees === undefined ? {} : { feeSatPerDay: fees }) },
      now: Date.now,
      lowerPaymentsUntilMs: until === undefined ? 0 : Date.parse(until),
      unsureForMs: policy.signer.unsureForMs,
      unsureSignUntilMs: unsure === undefined ? 0 : Date.parse(unsure),
    });
    const id = seedId(seed);
    const { segmentLines, keptForMs } = policy.signer;
    const log = await SigningLog.open(
      path,
      { seedId: id, network },
      { segmentLines: config.SIGNING_LOG_SEGMENT_LINES ?? segmentLines, keptForMs },
    );
    signer.recall(log.remembered);
    signer.writeTo(log);
    const { unsureUntilMs } = signer;
    if (unsureUntilMs !== undefined) {
      const unsureUntil = new Date(unsureUntilMs).toISOString();
      logger.warn({ unsureUntil, unsureKeysSignUntil: unsure }, 'the log was put back from a copy: see docs/signer.md');
    }
    health.register({ name: 'signing-log', check: () => log.fault });
    positionMetrics(registry, log);
    feeMetric(registry, signer);
    const identity: Identity = { seedId: id, network, hasDestination: rules.destination !== null };
    logger.info({ ...identity, logSeq: log.position.seq, lowerPaymentsUntil: until }, 'the signer is open');
    const providers: Provider[] = [
      { provide: SIGNER, useValue: signer },
      { provide: IDENTITY, useValue: identity },
      { provide: SigningLog, useValue: log },
      { provide: NETWORK, useValue: network },
      { provide: LogEnd, useValue: new LogEnd(log) },
    ];
    return { module: SignerModule, controllers: [SigningController], providers };
  }
}

function feeMetric(registry: ServiceParts<SignerConfig>['registry'], signer: GuardedSigner): void {
  new Gauge({
    name: 'seedfleet_signer_fees_used_ratio',
    help: "How much of a day's fees is used, of children and of the treasury (sweeps and splits); at 1 no more are signed",
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const kind of ['child', 'treasury'] as const) this.set({ kind }, signer.feesUsed(kind));
    },
  });
}

function positionMetrics(registry: ServiceParts<SignerConfig>['registry'], log: SigningLog): void {
  new Gauge({
    name: 'seedfleet_signer_log_position',
    help: 'Number of the last line of the signing log that is on the disk; it never falls',
    registers: [registry],
    collect() {
      this.set(log.position.seq);
    },
  });
  new Gauge({
    name: 'seedfleet_signer_log_bytes',
    help: 'Size of the signing log, all of its files together',
    registers: [registry],
    collect() {
      this.set(log.bytes);
    },
  });
}
