/** What a node says about itself, at one moment. */
export interface Reading {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** All samples, by their name and labels. */
  readonly samples: ReadonlyMap<string, number>;
}

const SAMPLE_MS = 250;
/** Counters of refusals: connections refused and closed, joins, speed tests; and what was charged. */
const COUNTED = /^seedfleet_node_(connections_refused|connections_closed|joins_refused|speed_tests|source_costs)_total/;

/** Reads a node's `/metrics`. */
export async function readNode(metricsUrl: string): Promise<Reading> {
  const text = await (await fetch(metricsUrl)).text();
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ');
    if (!line.startsWith('#') && space > 0) samples.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return {
    cpuSeconds: sumOf(samples, 'process_cpu_seconds_total'),
    residentBytes: sumOf(samples, 'process_resident_memory_bytes'),
    samples,
  };
}

/** Sum of a metric over its labels, or over those that contain a text. */
export function sumOf(samples: ReadonlyMap<string, number>, metric: string, label = ''): number {
  let sum = 0;
  for (const [name, value] of samples) {
    if ((name === metric || name.startsWith(`${metric}{`)) && name.includes(label)) sum += value;
  }
  return sum;
}

/** Memory and processor time of a node over a while. */
export class NodeMeter {
  private peakBytes: number;
  private readonly timer: NodeJS.Timeout;
  private reading = false;

  private constructor(
    private readonly metricsUrl: string,
    private readonly before: Reading,
  ) {
    this.peakBytes = before.residentBytes;
    this.timer = setInterval(() => void this.sample(), SAMPLE_MS);
  }

  static async start(metricsUrl: string): Promise<NodeMeter> {
    return new NodeMeter(metricsUrl, await readNode(metricsUrl));
  }

  /** What was used since the start: processor seconds, the highest rise of resident memory, and refusals by code. */
  async stop(): Promise<{
    readonly cpuSeconds: number;
    readonly memoryBytes: number;
    readonly refusals: ReadonlyMap<string, number>;
  }> {
    clearInterval(this.timer);
    const after = await readNode(this.metricsUrl);
    this.peakBytes = Math.max(this.peakBytes, after.residentBytes);
    return {
      cpuSeconds: after.cpuSeconds - this.before.cpuSeconds,
      memoryBytes: this.peakBytes - this.before.residentBytes,
      refusals: this.refusals(after),
    };
  }

  /** How often the node refused, closed or charged since the start, by what it says was the cause. */
  private refusals(after: Reading): ReadonlyMap<string, number> {
    const counted = new Map<string, number>();
    for (const [name, value] of after.samples) {
      if (!COUNTED.test(name)) continue;
      const more = value - (this.before.samples.get(name) ?? 0);
      const code = /(?:code|verdict|cost)="([^"]+)"/.exec(name)?.[1];
      if (more > 0 && code !== undefined) counted.set(code, (counted.get(code) ?? 0) + more);
    }
    return counted;
  }

  private async sample(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    const now = await readNode(this.metricsUrl).catch(() => undefined);
    this.peakBytes = Math.max(this.peakBytes, now?.residentBytes ?? 0);
    this.reading = false;
  }
}
