import { Area, Bar, CartesianGrid, ComposedChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import type { EarningsAt, Series } from '../api/types';
import { amountOf } from '../figures';
import { compact, moment, periodLabel, satoshi, sum } from '../format';

interface RevenueChartProps {
  readonly series: Series;
  readonly label: string;
}

interface Point {
  readonly start: string;
  readonly label: string;
  /** Heights only; the exact figures are strings. */
  readonly revenue: number;
  readonly collected: number;
  readonly of: EarningsAt;
}

const HEIGHT_PX = 260;

/** Revenue as it was paid, and what was collected, over time. Its figures are told to screen readers as a sentence. */
export function RevenueChart({ series, label }: RevenueChartProps) {
  const { items, period } = series;
  const points: readonly Point[] = items.map((item) => ({
    start: item.start,
    label: periodLabel(item.start, period),
    revenue: Number(item.revenueSat),
    collected: Number(amountOf(item, 'collectedSat')),
    of: item,
  }));
  const revenue = sum(...items.map(({ revenueSat }) => revenueSat));
  const buried = items.reduce((all, item) => all + amountOf(item, 'collectedSat'), 0n);
  const text = `${label}: ${satoshi(revenue)} satoshi paid and ${satoshi(buried)} collected in ${items.length} ${period}s`;
  return (
    <figure className="chart">
      <div role="img" aria-label={text}>
        <ResponsiveContainer width="100%" height={HEIGHT_PX}>
          <ComposedChart
            data={[...points]}
            margin={{ top: 8, right: 8, bottom: 0, left: 0 }}
            accessibilityLayer={false}
          >
            <defs>
              <linearGradient id="revenue-fill" x1="0" y1="0" x2="0" y2="1">
                <stop offset="0%" stopColor="var(--accent)" stopOpacity={0.35} />
                <stop offset="100%" stopColor="var(--accent)" stopOpacity={0.02} />
              </linearGradient>
            </defs>
            <CartesianGrid vertical={false} stroke="var(--line)" />
            <XAxis dataKey="label" tickLine={false} axisLine={false} minTickGap={28} tick={TICK} />
            <YAxis tickFormatter={compact} tickLine={false} axisLine={false} width={48} tick={TICK} />
            <Tooltip content={<Tip />} cursor={{ fill: 'var(--hover)' }} isAnimationActive={false} />
            <Bar
              dataKey="collected"
              fill="var(--second)"
              radius={[3, 3, 0, 0]}
              maxBarSize={22}
              isAnimationActive={false}
            />
            <Area
              dataKey="revenue"
              type="monotone"
              stroke="var(--accent)"
              strokeWidth={2.2}
              fill="url(#revenue-fill)"
              dot={false}
              isAnimationActive={false}
            />
          </ComposedChart>
        </ResponsiveContainer>
      </div>
      <figcaption className="legend" aria-hidden="true">
        <span>
          <i className="key revenue" /> paid by buyers <strong>{satoshi(revenue)}</strong>
        </span>
        <span>
          <i className="key collected" /> collected on chain <strong>{satoshi(buried)}</strong>
        </span>
      </figcaption>
    </figure>
  );
}

const TICK = { fill: 'var(--muted)', fontSize: 12 } as const;

interface TipProps {
  readonly active?: boolean;
  readonly payload?: readonly { readonly payload?: unknown }[];
}

function Tip({ active, payload }: TipProps) {
  const point = payload?.[0]?.payload as Point | undefined;
  if (active !== true || point === undefined) return null;
  const { of, start } = point;
  return (
    <div className="tip">
      <strong>{moment(start)} UTC</strong>
      <dl className="pairs">
        <dt>paid</dt>
        <dd>{satoshi(of.revenueSat)}</dd>
        <dt>collected</dt>
        <dd>{satoshi(amountOf(of, 'collectedSat'))}</dd>
        <dt>fees</dt>
        <dd>{satoshi(of.feesSat)}</dd>
        <dt>sales</dt>
        <dd>{of.channels}</dd>
      </dl>
    </div>
  );
}
