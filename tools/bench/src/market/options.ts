import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What `npm run bench -- market` measures. */
export interface MarketOptions {
  /** 1 is 100,000 torrents, 1,000,000 channels and about 10,000,000 book entries. */
  readonly scale: number;
  /** Requests per second. */
  readonly rate: number;
  /** Of each page. */
  readonly seconds: number;
  /** Simulated nodes that listen for prices. */
  readonly nodes: number;
  /** Whether the same is measured before with a tenth of the data. */
  readonly tenth: boolean;
  /** Absolute; where servers and data stay, one folder per size. Undefined: they are thrown away. */
  readonly keep: string | undefined;
  /** Only make the data that is not there yet. */
  readonly make: boolean;
  /** Time the dashboard's pages in a Chromium instead. */
  readonly dashboard: boolean;
  /** Only pages whose name begins so, and no price. Undefined: all. */
  readonly page: string | undefined;
  /** Absolute; where a processor profile of the service goes. */
  readonly profile: string | undefined;
}

export const MARKET_USAGE = `options of market:
  --scale 1        1: 100,000 torrents, 1,000,000 channels, 10,000,000 book entries
  --rate 200       requests per second
  --seconds 15     of each page
  --nodes 100      simulated nodes
  --no-tenth       don't measure with a tenth of the data first
  --keep DIR       leave servers and data there, and use what is there: made once, measured often
  --make           with --keep: only make the data
  --dashboard      instead: every page of the dashboard in a Chromium, from the click until its content is there
  --page TEXT      only pages whose name begins so, as revenue, channel, public or offer; lone: those asked one at a time
  --profile DIR    leave a processor profile of the service there
`;

/** Reads the command line; undefined where it can't be used. */
export function marketOptions(args: readonly string[]): MarketOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        scale: { type: 'string', default: '1' },
        rate: { type: 'string', default: '200' },
        seconds: { type: 'string', default: '15' },
        nodes: { type: 'string', default: '100' },
        'no-tenth': { type: 'boolean', default: false },
        keep: { type: 'string' },
        make: { type: 'boolean', default: false },
        dashboard: { type: 'boolean', default: false },
        page: { type: 'string' },
        profile: { type: 'string' },
      },
    });
    const scale = Number(values.scale);
    const [rate, seconds, nodes] = [values.rate, values.seconds, values.nodes].map(Number) as [number, number, number];
    if (!(scale >= 0.0001 && scale <= 10)) return undefined;
    if (![rate, seconds, nodes].every((value) => Number.isSafeInteger(value) && value >= 1)) return undefined;
    const { keep, make, page, dashboard } = values;
    if (make && keep === undefined) return undefined;
    const folder = (path: string | undefined): string | undefined =>
      path === undefined ? undefined : resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
    const tenth = !values['no-tenth'];
    return {
      scale,
      rate,
      seconds,
      nodes,
      tenth,
      keep: folder(keep),
      make,
      dashboard,
      page,
      profile: folder(values.profile),
    };
  } catch {
    return undefined;
  }
}
