import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Endpoint } from '../http/endpoint.js';
import { ExpiringCache } from '../http/expiring-cache.js';
import { noQuery, timeText } from '../http/schemas.js';
import { AlertRepository, type TroubleCode, type TroubleRow } from './alert.repository.js';

/** Many may look at once; the database is asked once. */
const MAX_AGE_MS = 2_000;
/** Comparing all books is dear, and the settler itself does it only every minute. */
const BOOKS_MAX_AGE_MS = 120_000;
const BOOKS_WAIT_MS = 1_000;

type Severity = 'critical' | 'warning';

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

const alertSchema = z.object({
  code: z.string(),
  severity: z.enum(['critical', 'warning']),
  title: z.string(),
  subject: z.string().nullable().meta({ description: 'the node, webhook or state concerned' }),
  count: z.int().meta({ description: 'how many are concerned; 10000 means at least so many' }),
  since: timeText.nullable(),
  detail: z.string(),
});
const alertList = z.object({ items: z.array(alertSchema) });

/** What needs an operator now, worst first. Nothing is kept: an alert ends with its cause. */
@ApiTags('overview')
@Controller('v1/alerts')
export class AlertsController {
  private readonly cache = new ExpiringCache<TroubleRow[]>(MAX_AGE_MS, 1);
  private readonly books = new ExpiringCache<TroubleRow[]>(BOOKS_MAX_AGE_MS, 1);

  private differing: readonly TroubleRow[] = [];

  constructor(private readonly alerts: AlertRepository) {}

  @Get()
  @Endpoint({ summary: 'What needs attention, worst first', access: 'read', answer: alertList })
  async list(@Query({ schema: noQuery }) _query: object): Promise<z.output<typeof alertList>> {
    const now = Date.now();
    const [rows, differences] = await Promise.all([this.cache.get('', now, () => this.read()), this.differences(now)]);
    const items = [...differences, ...rows].map(({ code, subject, count, since, detail }) => ({
      code,
      ...ALERTS[code],
      subject,
      count,
      since: since?.toISOString() ?? null,
      detail,
    }));
    return { items: items.sort((a, b) => rank(a.code) - rank(b.code)) };
  }

  /** What the last comparison found; one that takes long is not waited for. */
  private async differences(nowMs: number): Promise<readonly TroubleRow[]> {
    const comparing = this.books.get('', nowMs, () => this.alerts.books()).then((rows) => (this.differing = rows));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<readonly TroubleRow[]>((resolve) => {
      timer = setTimeout(() => resolve(this.differing), BOOKS_WAIT_MS);
    });
    return Promise.race([comparing, late]).finally(() => clearTimeout(timer));
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
const rank = (code: TroubleCode) => ORDER.indexOf(code);
