import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus } from '@seedfleet/bus';
import { startFleet, type RunningFleet } from '@seedfleet/fleet';
import pg from 'pg';
import { machineText } from '../machine/machine-text.js';
import { print } from '../measure.js';
import { makeChannels, storeChannels } from './bench-channels.js';
import { PAYMENTS_USAGE, paymentOptions, type PaymentOptions } from './options.js';
import { PaymentLoad, type LoadResult } from './payment-load.js';

/** Quicker channels than this are not sold to: a piece of 1 MiB each 10 ms. */
const MOST_PER_CHANNEL_AND_SECOND = 100;

/**
 * Payments signed beforehand, taken as a node takes them (verified, then given to its publisher), through a NATS that
 * syncs every write and the real channel-service, which verifies again and commits to Postgres. Prints; no aim fails.
 */
export const payments = async (args: readonly string[]): Promise<boolean> => {
  const options = paymentOptions(args);
  if (options === undefined) {
    print(PAYMENTS_USAGE);
    return false;
  }
  print(machineText());
  print('starting a fleet…');
  const folder = mkdtempSync(join(tmpdir(), 'seedfleet-bench-'));
  try {
    const fleet = await startFleet({ stateDir: folder, env: {}, nodes: 0, mine: false, logLevel: 'warn' });
    try {
      return await measure(options, fleet);
    } finally {
      await fleet.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

async function measure(options: PaymentOptions, { run }: RunningFleet): Promise<boolean> {
  const database = new pg.Client({ connectionString: run.postgres });
  await database.connect();
  const bus = await Bus.connect({
    natsUrl: run.nats,
    fleetId: run.id,
    service: 'swarm-node',
    instance: 'bench',
    onRejected: ({ code, subject, detail }) => print(`${code} on ${subject}: ${detail}`),
  });
  try {
    const heads = [
      'channels',
      'load',
      'payments',
      'acknowledged/s',
      'committed/s',
      'published',
      'coalesced',
      'batches',
    ];
    print('');
    print(row([...heads, 'freed ms: median', 'p99', 'committed ms: median', 'p99']));
    let whole = true;
    for (const count of options.channels) whole = (await one(count, options, bus, database)) && whole;
    return whole;
  } finally {
    await bus.close();
    await database.end();
  }
}

/** One number of channels, at full speed and paced; true when the books hold every payment. */
async function one(count: number, options: PaymentOptions, bus: Bus, database: pg.Client): Promise<boolean> {
  const nodeId = `bench-${count}`;
  const rate = Math.min(options.rate, count * MOST_PER_CHANNEL_AND_SECOND);
  const paced = Math.round(rate * options.seconds);
  // Fewer channels have fewer payments under way at a time, so they need longer for as many.
  const full = Math.min(options.payments, Math.max(2_000, count * 1_000));
  // Slots become free in any order, so a channel may be asked for somewhat more than its share.
  const each = 1 + Math.ceil((full / count) * 1.5 + 8) + Math.ceil(paced / count);
  const channels = makeChannels(count, each);
  await storeChannels(database, nodeId, channels);
  const load = await PaymentLoad.open(bus, nodeId, channels);
  // The first payment of each channel makes the intake read it.
  await load.paced(Math.max(count, 1_000), count / Math.max(count, 1_000));
  show(count, 'full speed', await load.fullSpeed(full));
  show(count, `${rate}/s`, await load.paced(rate, options.seconds));
  await load.close();
  const { rows } = await database.query<{ stored: string; parked: string }>(
    `SELECT (SELECT sum("k") FROM "channel"."channel" WHERE "nodeId" = $1) AS "stored",
       (SELECT count(*) FROM "channel"."parked_payment" WHERE "nodeId" = $1) AS "parked"`,
    [nodeId],
  );
  const wanted = count + full + paced;
  const whole = rows[0]?.stored === String(wanted) && rows[0].parked === '0';
  if (!whole) print(`the books hold ${rows[0]?.stored} of ${wanted} payments, ${rows[0]?.parked} are parked`);
  return whole;
}

function show(channels: number, load: string, result: LoadResult): void {
  print(
    row([
      String(channels),
      load,
      String(result.payments),
      Math.round(result.acknowledgedPerSecond).toLocaleString('en-US'),
      Math.round(result.committedPerSecond).toLocaleString('en-US'),
      String(result.published),
      `${Math.round((1 - result.published / result.payments) * 100)} %`,
      String(result.batches),
      quantile(result.freedMs, 0.5),
      quantile(result.freedMs, 0.99),
      quantile(result.committedMs, 0.5),
      quantile(result.committedMs, 0.99),
    ]),
  );
}

function quantile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(1);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, column) => cell.padStart(WIDTHS[column] ?? 8)).join(' ');
}

const WIDTHS = [8, 10, 8, 14, 11, 9, 9, 7, 16, 7, 20, 7];
