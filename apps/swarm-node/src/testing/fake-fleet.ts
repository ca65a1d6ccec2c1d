import { randomUUID } from 'node:crypto';
import { Controller, Inject, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Bus,
  chainStatus,
  channelFund,
  channelOpen,
  channelQuote,
  consumeStream,
  demandReport,
  ensureStream,
  FleetNatsServer,
  Handles,
  nodeAssignments,
  nodeRegister,
  paymentStream,
  paymentWatermark,
  seedingReport,
  streamName,
  takenDownAmong,
  takenDownContent,
  torrentMetainfo,
  type fundingVerdict,
  type StreamConsumer,
} from '@seedfleet/bus';
import { bestEcdsa } from '@seedfleet/payment-channel';
import type { z } from 'zod';

type Verdict = z.output<typeof fundingVerdict>;
type Opened = z.output<typeof channelOpen.request>;
type Funded = z.output<typeof channelFund.request>;
type Assignment = z.output<typeof nodeAssignments.reply>['torrents'][number];
type Report = z.output<typeof seedingReport.request>['reports'][number];

const PIECE_OF_METAINFO = 100;

/** What the rest of a fleet says to one node, scripted by a test; the broker and its stream are real. */
export class FakeFleet {
  readonly assignments: Assignment[] = [];
  readonly metainfo = new Map<string, Uint8Array>();
  readonly reports: Report[] = [];
  /** Taken down, and whether the operator's own files go too. */
  readonly takenDown = new Map<string, { readonly contentPath: string; readonly deleteOwn: boolean }>();
  readonly deleted: z.output<typeof takenDownContent.request>[] = [];
  readonly demand: z.output<typeof demandReport.request>['torrents'] = [];
  readonly opened: (Opened & { readonly channelId: string })[] = [];
  readonly funded: Funded[] = [];
  /** As the stream brought them, in order. */
  readonly payments: { channelId: string; k: number; signature: Uint8Array }[] = [];
  readonly ends: { channelId: string; k: number; reason: string }[] = [];
  verdict: Partial<Verdict> = {};
  refusal: string | undefined;
  /** Torrents in one answer: one, to see that all pages are asked for. */
  pageTorrents = 1;
  /** Keys of the channels that are opened. */
  seller = { publicKey: bestEcdsa().publicKeyFor(new Uint8Array(32).fill(7)), keyHash: new Uint8Array(20).fill(7) };
  medianTimePast = 1_700_000_000;
  committing = true;
  private committed = 0;
  private app: INestApplication | undefined;
  private consumer: StreamConsumer | undefined;
  private timer: NodeJS.Timeout | undefined;
  private epoch = '';

  private constructor(readonly bus: Bus) {}

  static async start(natsUrl: string, fleetId: string): Promise<FakeFleet> {
    const bus = await Bus.connect({
      natsUrl,
      fleetId,
      service: 'channel-service',
      instance: 'fake',
      onRejected: ({ code, subject, detail }) => {
        throw new Error(`${code} on ${subject}: ${detail}`);
      },
    });
    const fleet = new FakeFleet(bus);
    fleet.epoch = await ensureStream(bus, paymentStream);
    fleet.consumer = await consumeStream(bus, paymentStream, {
      durable: 'fake-intake',
      maxBatch: 100,
      handle: (messages) => {
        for (const { seq, payload } of messages) {
          fleet.payments.push(...payload.payments);
          fleet.ends.push(...payload.ends);
          fleet.committed = seq;
        }
        return Promise.resolve();
      },
      onError: (failure) => {
        throw failure;
      },
    });
    @Module({ controllers: [FleetController], providers: [{ provide: FakeFleet, useValue: fleet }] })
    class FleetModule {}
    fleet.app = await NestFactory.create(FleetModule, { logger: false });
    fleet.app.connectMicroservice({ strategy: new FleetNatsServer(bus) });
    await fleet.app.startAllMicroservices();
    fleet.timer = setInterval(() => fleet.tell(), 100);
    return fleet;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.consumer?.stop();
    await this.app?.close();
    // The broker reserves a stream's whole size, so the streams of many tests would fill it.
    await this.bus.connection.request(`$JS.API.STREAM.DELETE.${streamName(this.bus, paymentStream)}`);
    await this.bus.close();
  }

  tell(): void {
    const observedAt = Math.floor(Date.now() / 1000);
    const rate = 1_000n;
    this.bus.publish(channelQuote, [], { settlementFeeSat: 434n, draining: false, observedAt });
    this.bus.publish(chainStatus, [], {
      tip: { height: 101, hash: 'ab'.repeat(32), medianTimePast: this.medianTimePast },
      feeRates: {
        threeBlocksSatPerKvb: rate,
        sixBlocksSatPerKvb: rate,
        sixBlocksDayMedianSatPerKvb: rate,
        sixBlocksDayQuarterSatPerKvb: rate,
        mempoolMinimumSatPerKvb: rate,
        relayMinimumSatPerKvb: rate,
      },
      observedAt,
    });
    if (!this.committing) return;
    const committedSeq = BigInt(this.committed);
    this.bus.publish(paymentWatermark, ['0'], { partition: 0, streamEpoch: this.epoch, committedSeq, observedAt });
  }

  verdictFor(channelId: string): Verdict {
    return {
      channelId,
      version: 1,
      kind: 'all',
      allowanceBytes: 0,
      code: 'confirmed',
      detail: '',
      kMin: 10,
      kCap: 1_000_000,
      deadlineMtp: null,
      ...this.verdict,
    };
  }
}

@Controller()
class FleetController {
  constructor(@Inject(FakeFleet) private readonly fleet: FakeFleet) {}

  @Handles(nodeRegister)
  register() {
    return { accepted: true };
  }

  @Handles(nodeAssignments)
  assigned({ after }: z.output<typeof nodeAssignments.request>) {
    const sorted = [...this.fleet.assignments].sort((a, b) => (a.infoHash < b.infoHash ? -1 : 1));
    const rest = sorted.filter(({ infoHash }) => after === null || infoHash > after);
    const { pageTorrents } = this.fleet;
    return { torrents: rest.slice(0, pageTorrents), complete: rest.length <= pageTorrents };
  }

  @Handles(torrentMetainfo)
  metainfo({ infoHash, offsetBytes }: z.output<typeof torrentMetainfo.request>) {
    const bytes = this.fleet.metainfo.get(infoHash) ?? new Uint8Array();
    const part = bytes.slice(offsetBytes, offsetBytes + PIECE_OF_METAINFO);
    return { found: bytes.length > 0, part, totalBytes: bytes.length };
  }

  @Handles(seedingReport)
  report({ reports }: z.output<typeof seedingReport.request>) {
    this.fleet.reports.push(...reports);
    return {};
  }

  @Handles(takenDownAmong)
  takenDownAmong({ infoHashes }: z.output<typeof takenDownAmong.request>) {
    const takenDown = infoHashes.flatMap((infoHash) => {
      const order = this.fleet.takenDown.get(infoHash);
      return order === undefined ? [] : [{ infoHash, ...order }];
    });
    return { takenDown };
  }

  @Handles(takenDownContent)
  contentDeleted(report: z.output<typeof takenDownContent.request>) {
    this.fleet.deleted.push(report);
    return {};
  }

  @Handles(demandReport)
  demand({ torrents }: z.output<typeof demandReport.request>) {
    this.fleet.demand.push(...torrents);
    return {};
  }

  @Handles(channelOpen)
  open(request: Opened) {
    const channelId = randomUUID();
    this.fleet.opened.push({ ...request, channelId });
    if (this.fleet.refusal !== undefined) {
      return { opened: false, code: this.fleet.refusal, detail: '', revisedTerms: null };
    }
    const { publicKey: sellerPublicKey, keyHash: sellerKeyHash } = this.fleet.seller;
    return { opened: true, channelId, sellerPublicKey, sellerKeyHash };
  }

  @Handles(channelFund)
  fund(request: Funded) {
    this.fleet.funded.push(request);
    return this.fleet.verdictFor(request.channelId);
  }
}
