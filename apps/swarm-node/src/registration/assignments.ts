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
import type { NodeFiles } from '../content/node-files.js';
import type { Shelf } from '../content/shelf.js';
import type { Verifier } from '../content/verifier.js';
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
      readonly logger: Logger;
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
      if (this.parts.shelf.get(infoHash) !== undefined) await this.withdraw(infoHash);
    }
  }

  /** Ends its sales and announces, and forgets its .torrent file; the content stays. */
  private async withdraw(infoHash: string): Promise<void> {
    this.parts.logger.info({ infoHash }, 'torrent withdrawn');
    this.parts.shelf.remove(infoHash);
    await this.parts.files.forget(infoHash).catch(() => undefined);
  }

  private async run(): Promise<void> {
    this.overtaken.clear();
    this.takenDown.clear();
    const assignments = await this.fetchAll();
    if (assignments === undefined || this.stopped) return;
    faultPoint('node.assignments.after-reply');
    const wanted = new Set(assignments.map(({ infoHash }) => infoHash));
    for (const { infoHash } of [...this.parts.shelf.all()]) {
      if (!wanted.has(infoHash)) await this.withdraw(infoHash);
    }
    for (let at = 0; at < assignments.length; at += FOLLOWED_AT_ONCE) {
      if (this.stopped) return;
      await Promise.all(assignments.slice(at, at + FOLLOWED_AT_ONCE).map((assignment) => this.follow(assignment)));
    }
    void this.parts.verifier.idle().then(() => this.parts.onSettled());
    await this.parts.verifier.retryChanged();
  }

  /** All pages, or undefined when the fleet can't be asked now. */
  private async fetchAll(): Promise<Assignment[] | undefined> {
    const { bus, nodeId, logger } = this.parts;
    const all: Assignment[] = [];
    for (let after: string | null = null; ;) {
      const reply: Reply = await bus.request(nodeAssignments, { nodeId, after });
      if (!reply.ok) {
        logger.warn({ code: reply.code }, 'assignments not received');
        return undefined;
      }
      all.push(...reply.value.torrents);
      const last: Assignment | undefined = reply.value.torrents.at(-1);
      if (reply.value.complete || last === undefined) return all;
      after = last.infoHash;
    }
  }

  private async follow(assignment: Assignment): Promise<void> {
    const { shelf, logger } = this.parts;
    const { infoHash, version, contentPath, offer } = assignment;
    const active = assignment.state === 'active';
    const known = shelf.get(infoHash);
    const overtaken = this.overtaken.has(infoHash);
    if (this.takenDown.has(infoHash)) return;
    if (known === undefined) {
      logger.info({ infoHash, contentPath }, 'torrent assigned');
      shelf.put({
        infoHash,
        version,
        contentPath,
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
      shelf.update(infoHash, { version, contentPath, offer, active, readiness: 'waiting', content: undefined });
    } else if (overtaken) {
      // The next fetch tells whatever else changed.
    } else if (known.version !== version || known.active !== active || known.offer.version !== offer.version) {
      shelf.update(infoHash, { version, offer, active });
    }
    if (shelf.get(infoHash)?.readiness === 'waiting') await this.bringIn(infoHash);
  }

  private async bringIn(infoHash: string): Promise<void> {
    const { shelf, bus, files, verifier, logger } = this.parts;
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
    verifier.enqueue(infoHash);
  }
}
