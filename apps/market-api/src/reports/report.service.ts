import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { ExpiringCache } from '../http/expiring-cache.js';
import { validationProblem } from '../http/problem.js';
import { CostSettings } from '../settings/cost-settings.js';
import type { CostRates } from './costs.js';
import { figuresOf, type Measures } from './figures.js';
import { FLEET, MeasureRepository, type Subject } from './measure.repository.js';
import { periodOf, type Period } from './period.js';
import type { DayReportQuery, KeyedQuery, TorrentReportQuery, TotalQuery } from './report.schemas.js';
import { figuresText, figuresView, profitView } from './report.views.js';
import { ServedRepository } from './served.repository.js';
import { TorrentFigures } from './torrent-figures.js';
import { TorrentRanking, type Ranked, type Ranking } from './torrent-ranking.js';
import { TorrentTotals, type RankedTotal } from './torrent-totals.js';

/** Sums over all torrents read a row of each, so they may be a little old. */
const TOTALS_AGE_MS = 15_000;
const MAX_TOTALS = 200;
/**
 * Every open dashboard asks the same pages when something happens, so one answer does for all of them. Less than the
 * half second after which they ask: so what they are told of is in it.
 */
const PAGE_AGE_MS = 400;
const MAX_PAGES = 200;

const cursorParts = z.tuple([
  z.enum(['revenue', 'collectable', 'buried', 'lost', 'channels']),
  z.string().regex(/^-?\d{1,18}$/),
  z.string().regex(/^[0-9a-f]{40}$/),
]);

/** Revenue by whatever it is asked for, from the books. */
@Injectable()
export class ReportService {
  private readonly served = new ExpiringCache<Awaited<ReturnType<ServedRepository['total']>>>(
    TOTALS_AGE_MS,
    MAX_TOTALS,
  );
  private readonly pages = new ExpiringCache<Awaited<ReturnType<ReportService['torrentPage']>>>(PAGE_AGE_MS, MAX_PAGES);
  private readonly labelSums = new ExpiringCache<Map<string, Measures>>(TOTALS_AGE_MS, MAX_TOTALS);

  constructor(
    private readonly measures: MeasureRepository,
    private readonly ranking: TorrentRanking,
    private readonly torrentFigures: TorrentFigures,
    private readonly totals: TorrentTotals,
    private readonly servedBytes: ServedRepository,
    private readonly costs: CostSettings,
  ) {}

  async total(query: TotalQuery) {
    const period = periodOf(query);
    const [sums, served, rates] = await Promise.all([
      this.measures.sums('fleet', [FLEET], period),
      this.servedTotal(undefined, query, period),
      this.costs.rates(),
    ]);
    const own = sums.get(FLEET);
    const profit = profitView(figuresOf(own), served, rates);
    return { ...figuresView(own), profit, asOf: new Date().toISOString() };
  }

  torrents(query: TorrentReportQuery) {
    return this.pages.get(JSON.stringify(query), Date.now(), () => this.torrentPage(query));
  }

  private async torrentPage(query: TorrentReportQuery) {
    const period = periodOf(query);
    const { sort, limit, search, label, tier, infoHash } = query;
    const after = decode(sort, query.cursor);
    const filter = { search, label, tier, infoHash };
    const rates = await this.costs.rates();
    const ranked =
      period === undefined
        ? await this.totals.page(await this.ranking.ofAllTime(sort, filter, after, limit + 1), {
            sparkDays: query.sparkDays,
            kept: rates.diskMilliSatPerGibMonth > 0n,
          })
        : await this.figured(await this.ranking.page(sort, filter, period, after, limit + 1), period, query.sparkDays);
    const shown = ranked.slice(0, limit);
    const last = shown.at(-1);
    const items = shown.map((row) => torrentItem(row, rates));
    return { items, nextCursor: ranked.length > limit && last !== undefined ? encode(sort, last) : null };
  }

  async keyed<Name extends string>(subject: Subject, name: Name, query: KeyedQuery) {
    const { cursor, limit } = query;
    if (cursor?.includes('\0') === true) throw validationProblem([{ message: 'not a cursor', path: ['cursor'] }]);
    const keys = await this.measures.keys(subject, cursor ?? '', limit + 1);
    const shown = keys.slice(0, limit);
    const sums = await this.measures.sums(subject, shown, periodOf(query));
    const items = shown.map((key) => ({ [name]: key, ...figuresView(sums.get(key)) }));
    return { items, nextCursor: keys.length > limit ? (shown.at(-1) ?? null) : null };
  }

  async days(query: DayReportQuery) {
    const { subject, key } = subjectOf(query);
    const { limit, cursor } = query;
    const rows = await this.measures.days(subject, key, periodOf(query), cursor, limit + 1);
    const shown = rows.slice(0, limit);
    return {
      items: shown.map(([day, measures]) => ({ day, ...figuresView(measures) })),
      nextCursor: rows.length > limit ? (shown.at(-1)?.[0] ?? null) : null,
    };
  }

  async labels(query: KeyedQuery, counts: ReadonlyMap<string, number>) {
    const period = periodOf(query);
    const key = JSON.stringify([query.from, query.to]);
    const sums = await this.labelSums.get(key, Date.now(), () => this.measures.labels(period));
    const rates = await this.costs.rates();
    const names = [...counts.keys()].sort().filter((name) => query.cursor === undefined || name > query.cursor);
    const shown = names.slice(0, query.limit);
    const items = [];
    for (const label of shown) {
      const own = sums.get(label);
      const profit = profitView(figuresOf(own), await this.servedTotal(label, query, period), rates);
      items.push({ label, torrents: counts.get(label) ?? 0, ...figuresView(own), profit });
    }
    return { items, nextCursor: names.length > query.limit ? (shown.at(-1) ?? null) : null };
  }

  private async figured(ranked: readonly Ranked[], period: Period, sparkDays: number): Promise<RankedTotal[]> {
    const hashes = ranked.map(({ infoHash }) => infoHash);
    const known = await this.torrentFigures.of(hashes, period, sparkDays);
    const none = { measures: new Map(), keptByteSeconds: 0n, revenueByDay: [] };
    return ranked.map((row) => ({ ...row, ...(known.get(row.infoHash) ?? none) }));
  }

  private servedTotal(label: string | undefined, { from, to }: TotalQuery, period: Period | undefined) {
    const key = JSON.stringify([label, from, to]);
    return this.served.get(key, Date.now(), () => this.servedBytes.total(label, period));
  }
}

function torrentItem(row: RankedTotal, rates: CostRates) {
  const { infoHash, name, pieceLength, measures, keptByteSeconds, revenueByDay } = row;
  const figures = figuresOf(measures);
  const soldBytes = figures.pieces * BigInt(pieceLength ?? 0);
  const profit = profitView(figures, { soldBytes, keptByteSeconds }, rates);
  return { infoHash, name, ...figuresText(figures), profit, revenueByDay: [...revenueByDay] };
}

/** Whose books are asked for: one of torrent, node and buyer, else the fleet. Throws where several are. */
export function subjectOf(query: {
  readonly infoHash?: string | undefined;
  readonly nodeId?: string | undefined;
  readonly buyer?: string | undefined;
}): { readonly subject: Subject; readonly key: string } {
  const { infoHash, nodeId, buyer } = query;
  const named = [infoHash, nodeId, buyer].filter((key) => key !== undefined);
  if (named.length > 1) {
    throw validationProblem([{ message: 'give one of infoHash, nodeId and buyer', path: ['infoHash'] }]);
  }
  if (infoHash !== undefined) return { subject: 'torrent', key: infoHash };
  if (nodeId !== undefined) return { subject: 'node', key: nodeId };
  return buyer === undefined ? { subject: 'fleet', key: FLEET } : { subject: 'buyer', key: buyer };
}

function encode(sort: Ranking, { amount, infoHash }: Ranked): string {
  return Buffer.from(JSON.stringify([sort, amount.toString(), infoHash])).toString('base64url');
}

function decode(sort: Ranking, text: string | undefined) {
  if (text === undefined) return undefined;
  try {
    const [of, amount, infoHash] = cursorParts.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (of !== sort) throw new Error('another order');
    return { amount: BigInt(amount), infoHash };
  } catch {
    throw validationProblem([{ message: 'not a cursor of this list in this order', path: ['cursor'] }]);
  }
}
