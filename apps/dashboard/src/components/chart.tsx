import { lazy, Suspense, type ComponentProps } from 'react';

/** The chart library is most of the script, and signing in needs none of it. */
const Chart = lazy(() => import('./revenue-chart').then(({ RevenueChart: component }) => ({ default: component })));

export function RevenueChart(props: ComponentProps<typeof Chart>) {
  return (
    <Suspense fallback={<p className="muted chart-place">Drawing…</p>}>
      <Chart {...props} />
    </Suspense>
  );
}
