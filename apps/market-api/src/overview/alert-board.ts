import { Injectable } from '@nestjs/common';
import { ExpiringCache } from '../http/expiring-cache.js';
import { AlertRepository, type TroubleCode, type TroubleRow } from './alert.repository.js';

/** Many may look at once; the database is asked once. */
const MAX_AGE_MS = 2_000;
/** Comparing all books is dear, and the settler itself does it only every minute. */
const BOOKS_MAX_AGE_MS = 120_000;
/** … and it never takes more than this part of the time. */
const BOOKS_SHARE = 20;
/** The books of a small fleet are compared by then; those of a large one are known at the next look. */
const BOOKS_WAIT_MS = 250;

export type Severity = 'critical' | 'warning';

/** Money that can be lost, or has been, is critical. */
const ALERTS: Readonly<Record<TroubleCode, { severity: Severity; title: string }>> = {
  'books-differ': { severity: 'critical', title: 'Books, channels and chain do not agree' },
  'settlements-refused': { severity: 'critical', title: 'The network refuses settlements' },
  'deadlines-passed': { severity: 'critical', title: 'Channels past their deadline are not being settled' },
  'refunds-seen': { severity: 'critical', title: 'Buyers are taking back deposits of paid channels' },
  'node-quarantined': { severity: 'critical', title: 'Node in quarantine' },
  'channels-lost': { severity: 'critical', title: 'Channels were lost in the last week' },
  'fundings-missing': { severity: 'warning', title: 'Fundings are gone from the chain' },
  'channels-overdue': { severity: 'warning', title: 'Channels wait for work that is due' },
  'payments-parked': { severity: 'warning', title: 'Payments that failed verification' },
  'content-troubled': { severity: 'warning', title: 'Torrents can’t be sold: their content is at fault' },
  'node-silent': { severity: 'warning', title: 'Node is not heard of' },
  'webhook-failing': { severity: 'warning', title: 'Deliveries to a webhook were given up' },
};

/** Something that needs an operator. */
export interface Alert extends TroubleRow {
  readonly severity: Severity;
  readonly title: string;
}

/** What needs an operator now, worst first: an alert ends with its cause. */
@Injectable()
export class AlertBoard {
  private readonly cache = new ExpiringCache<TroubleRow[]>(MAX_AGE_MS, 1);
  private comparing: Promise<void> | undefined;
  private compareAfterMs = 0;
  private differing: readonly TroubleRow[] | undefined;

  constructor(private readonly alerts: AlertRepository) {}

  async now(): Promise<readonly Alert[]> {
    const waitMs = this.differing === undefined ? BOOKS_WAIT_MS : 0;
    const [rows] = await Promise.all([this.quick(), this.compared(waitMs)]);
    return sorted([...(this.differing ?? []), ...rows]);
  }

  /**
   * The same for whoever looks all the time: books that take long to compare are not waited for. `unknown` are alerts of
   * which nothing is known yet.
   */
  async known(compareBooks: boolean): Promise<{ alerts: readonly Alert[]; unknown: readonly TroubleCode[] }> {
    if (compareBooks) await this.compared(0);
    const rows = await this.quick();
    const { differing } = this;
    return {
      alerts: sorted([...(differing ?? []), ...rows]),
      unknown: differing === undefined ? ['books-differ'] : [],
    };
  }

  private quick(): Promise<TroubleRow[]> {
    return this.cache.get('', Date.now(), () => this.read());
  }

  /** Sees to it that the books are compared now and then, and waits a while for it. A failure waits for the next time. */
  private async compared(waitMs: number): Promise<void> {
    const startMs = Date.now();
    if (startMs >= this.compareAfterMs) {
      this.comparing ??= this.alerts
        .books()
        .then(
          (rows) => void (this.differing = rows),
          () => undefined,
        )
        .finally(() => {
          this.comparing = undefined;
          this.compareAfterMs = startMs + Math.max(BOOKS_MAX_AGE_MS, BOOKS_SHARE * (Date.now() - startMs));
        });
    }
    if (this.comparing === undefined || waitMs === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, waitMs)));
    await Promise.race([this.comparing, late]).finally(() => clearTimeout(timer));
  }

  private async read(): Promise<TroubleRow[]> {
    const { alerts } = this;
    const found = await Promise.all([
      alerts.channels(),
      alerts.deadlines(),
      alerts.overdue(),
      alerts.nodes(),
      alerts.content(),
      alerts.payments(),
      alerts.webhooks(),
    ]);
    return found.flat();
  }
}

const ORDER = Object.keys(ALERTS);
const rank = ({ code }: Alert): number => ORDER.indexOf(code);
const sorted = (rows: readonly TroubleRow[]): Alert[] =>
  rows.map((row) => ({ ...row, ...ALERTS[row.code] })).sort((one, other) => rank(one) - rank(other));
