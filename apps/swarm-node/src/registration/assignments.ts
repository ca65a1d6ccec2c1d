import {
  assignmentsChanged,
  nodeAssignments,
  offersChanged,
  torrentsTakenDown,
  type Bus,
  type BusResult,
} from '@seedfleet/bus';
import { faultPoint, type Logger } from '@seedfleet/service-kit';
import type { z } from 'zod';
import { shownAddress } from '@seedfleet/bittorrent';
import type { ContentFetcher } from '../content/fetching/content-fetcher.js';
import type { FetchedContent } from '../content/fetching/fetched-content.js';
import type { NodeFiles } from '../content/node-files.js';
import type { Shelf } from '../content/shelf.js';
import type { Verifier } from '../content/verifier.js';
import type { Leftovers } from './leftovers.js';
import { obtainMetainfo } from './metainfo-source.js';

type Reply = BusResult<z.output<typeof nodeAssignments.reply>>;
type OfferNews = z.output<typeof offersChanged.payload>['torrents'];
type Assignment = z.output<typeof nodeAssignments.reply>['torrents'][number];

/** Nodes ask again at least this often, because news may be lost. */
const REFRESH_MS = 15_000;
/** Torrents that are brought in at the same time. */
const FOLLOWED_AT_ONCE = 32;

/** Keeps the shelf as the fleet wants it: asks for the node's torrents and brings each on sale. */
export class Assignments {
  private timer: NodeJS.Timeout | undefined;
  private syncing: Promise<void> | undefined;
  private again = false;
  private stopped = false;
  private subscriptions: { unsubscribe(): void }[] = [];
  /** Torrents whose terms came as news since the present fetch began: what it brings of them may be older. */
  private readonly overtaken = new Set<string>();
  /** Torrents taken down since the present fetch began: it may still bring them. */
  private readonly takenDown = new Set<string>();

  constructor(
    private readonly parts: {
      readonly nodeId: string;
      readonly bus: Bus;
      readonly shelf: Shelf;
      readonly files: NodeFiles;
      readonly verifier: Verifier;
      readonly fetched: FetchedContent;
      readonly fetcher: ContentFetcher;
      readonly leftovers: Leftovers;
      readonly logger: Logger;
      /** What is assigned is on the shelf; its content may still have to be read. */
      readonly onFollowed: () => void;
      /** Nothing of what was assigned waits to be looked at any more. */
      readonly onSettled: () => void;
    },
  ) {}

  start(): void {
    const { bus } = this.parts;
    this.subscriptions = [
      bus.subscribe(assignmentsChanged, [], () => this.sync()),
      bus.subscribe(offersChanged, [], ({ torrents }) => this.followNews(torrents)),
      bus.subscribe(torrentsTakenDown, [], ({ infoHashes }) => this.followTakedown(infoHashes)),
    ];
    this.timer = setInterval(() => void this.sync(), REFRESH_MS);
    void this.sync();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    for (const subscription of this.subscriptions) subscription.unsubscribe();
    await this.syncing;
  }

  /** Asks and follows; a call during a run makes one more run. */
  sync(): Promise<void> {
    if (this.syncing !== undefined) {
      this.again = true;
      return this.syncing;
    }
    const failed = (failure: unknown): void =>
      this.parts.logger.error({ failure: String(failure) }, 'assignments not followed; tried again later');
    this.syncing = this.run()
      .catch(failed)
      .finally(() => {
        this.syncing = undefined;
        if (this.again && !this.stopped) {
          this.again = false;
          void this.sync();
        }
      });
    return this.syncing;
  }

  /** New terms of torrents that are here; others come with the next fetch. Channels that run keep theirs. */
  private followNews(torrents: OfferNews): void {
    for (const { infoHash, version, state, offer } of torrents) {
      const known = this.parts.shelf.get(infoHash);
      if (known === undefined || version < known.version || offer.version < known.offer.version) continue;
      if (this.syncing !== undefined) this.overtaken.add(infoHash);
      this.parts.shelf.update(infoHash, { version, offer, active: state === 'active' });
    }
  }

  /** Not by a fetch: one may be under way, with thousands of torrents to be brought in before the next. */
  private async followTakedown(infoHashes: readonly string[]): Promise<void> {
    for (const infoHash of infoHashes) {
      if (this.syncing !== undefined) this.takenDown.add(infoHash);
      this.withdraw(infoHash);
    }
    await this.settleLeftovers();
  }

  /** Ends its sales and announces at once; what is on the disk is dealt with later. */
  private withdraw(infoHash: string): void {
    this.parts.leftovers.add(infoHash);
    if (this.parts.shelf.get(infoHash) === undefined) return;
    this.parts.logger.info({ infoHash }, 'torrent withdrawn');
    this.parts.shelf.remove(infoHash);
  }

  private settleLeftovers(): Promise<void> {
    return this.parts.leftovers.settle((infoHash) => this.parts.shelf.get(infoHash) !== undefined);
  }

  private async run(): Promise<void> {
    const { bus, nodeId, shelf, verifier, logger } = this.parts;
    this.overtaken.clear();
    this.takenDown.clear();
    const wanted = new Set<string>();
    let page: Promise<Reply> | undefined = bus.request(nodeAssignments, { nodeId, after: null });
    while (page !== undefined) {
      const reply: Reply = await page;
      if (this.stopped) return;
      if (!reply.ok) return logger.warn({ code: reply.code }, 'assignments not received');
      faultPoint('node.assignments.after-reply');
      const { torrents, complete }: z.output<typeof nodeAssignments.reply> = reply.value;
      const after: string | undefined = torrents.at(-1)?.infoHash;
      // The fleet looks up the next ones while these are brought in.
      page = complete || after === undefined ? undefined : bus.request(nodeAssignments, { nodeId, after });
      for (const { infoHash } of torrents) wanted.add(infoHash);
      await this.followAll(torrents);
    }
    for (const { infoHash } of [...shelf.all()]) if (!wanted.has(infoHash)) this.withdraw(infoHash);
    this.parts.onFollowed();
    // Only now, when everything that is assigned is on the shelf.
    void this.settleLeftovers();
    void verifier.idle().then(() => this.parts.onSettled());
    await verifier.retryChanged();
  }

  private async followAll(assignments: readonly Assignment[]): Promise<void> {
    const { shelf, logger } = this.parts;
    const unknown = assignments.filter(({ infoHash }) => shelf.get(infoHash) === undefined).length;
    if (unknown > 0) logger.info({ torrents: unknown }, 'torrents assigned');
    for (let at = 0; at < assignments.length; at += FOLLOWED_AT_ONCE) {
      if (this.stopped) return;
      await Promise.all(assignments.slice(at, at + FOLLOWED_AT_ONCE).map((assignment) => this.follow(assignment)));
    }
  }

  private async follow(assignment: Assignment): Promise<void> {
    const { shelf, fetched, logger } = this.parts;
    const { infoHash, version } = assignment;
    const offer = compact(assignment.offer);
    const source = isAddress(assignment.contentPath) ? assignment.contentPath : undefined;
    const contentPath = source === undefined ? assignment.contentPath : fetched.dataOf(infoHash);
    const active = assignment.state === 'active';
    const known = shelf.get(infoHash);
    const overtaken = this.overtaken.has(infoHash);
    if (this.takenDown.has(infoHash)) return;
    if (known === undefined) {
      logger.debug({ infoHash, contentPath: shownAddress(assignment.contentPath) }, 'torrent assigned');
      shelf.put({
        infoHash,
        version,
        contentPath,
        source,
        offer,
        active,
        readiness: 'waiting',
        progress: 0,
        detail: '',
        metainfo: undefined,
        content: undefined,
        failedFingerprint: undefined,
      });
    } else if (known.contentPath !== contentPath) {
      shelf.update(infoHash, { version, contentPath, source, offer, active, readiness: 'waiting', content: undefined });
      if (source === undefined) await fetched.release(infoHash);
    } else if (known.source !== source) {
      // A new link to what may be here already.
      const readiness = known.readiness === 'ready' ? known.readiness : 'waiting';
      shelf.update(infoHash, { version, source, offer, active, readiness });
    } else if (overtaken) {
      // The next fetch tells whatever else changed.
    } else if (known.version !== version || known.active !== active || known.offer.version !== offer.version) {
      shelf.update(infoHash, { version, offer, active });
    }
    if (shelf.get(infoHash)?.readiness === 'waiting') await this.bringIn(infoHash);
  }

  private async bringIn(infoHash: string): Promise<void> {
    const { shelf, bus, files, verifier, fetched, fetcher, logger } = this.parts;
    if (shelf.get(infoHash)?.metainfo === undefined) {
      const outcome = await obtainMetainfo(bus, files, infoHash).catch((failure: unknown) => ({
        ok: false as const,
        permanent: false,
        detail: String(failure),
      }));
      if (!outcome.ok) {
        logger.error({ infoHash }, `metainfo: ${outcome.detail}`);
        shelf.update(infoHash, { readiness: outcome.permanent ? 'failed' : 'waiting', detail: outcome.detail });
        return;
      }
      shelf.update(infoHash, { metainfo: outcome.metainfo });
    }
    const isFetched = shelf.get(infoHash)?.source !== undefined;
    // Complete once already: a look tells whether it still is.
    const wasComplete = fetched.has(infoHash) && files.verifiedFingerprint(infoHash) !== undefined;
    if (isFetched && !wasComplete) fetcher.enqueue(infoHash);
    else verifier.enqueue(infoHash);
  }
}

/** The same in one block of memory: thousands are kept, and what a schema makes takes three times as much. */
function compact(offer: Assignment['offer']): Assignment['offer'] {
  const { version, priceSat, lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, freeTier } = offer;
  return { version, priceSat, lockUnits, settlementFeeSat, minContractFeePerKbSat, maxSellers, freeTier };
}

function isAddress(contentPath: string): boolean {
  return /^https?:/i.test(contentPath);
}
