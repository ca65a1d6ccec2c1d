interface SparklineProps {
  readonly values: readonly string[];
  readonly label: string;
}

const WIDTH = 96;
const HEIGHT = 26;

/** The course of some amounts, too small to read figures from; only its shape is a floating-point number. */
export function Sparkline({ values, label }: SparklineProps) {
  const heights = values.map((value) => Math.max(0, Number(value)));
  const highest = Math.max(1, ...heights);
  const at = (place: number, value: number) => {
    const x = (place / Math.max(1, heights.length - 1)) * WIDTH;
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / highest) * (HEIGHT - 4)).toFixed(1)}`;
  };
  const line = heights.map((value, place) => at(place, value)).join(' ');
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
    >
      <polygon points={`0,${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
      <polyline points={line} />
    </svg>
  );
}
