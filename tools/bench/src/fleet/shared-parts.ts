import type { RunningFleet } from '@seedfleet/fleet';
import { treeCpuSeconds } from '../machine/process-usage.js';

/** What all nodes share, by the name of its process. The signer is the settler's process. */
export const SHARED_PARTS = {
  postgres: 'Postgres',
  nats: 'NATS',
  'channel-intake': 'intake',
  'channel-settler': 'signer (settler)',
  'chain-watcher': 'chain-watcher',
  'market-api': 'market-api',
} as const;

export type SharedPart = keyof typeof SHARED_PARTS;
export const PARTS = Object.keys(SHARED_PARTS) as SharedPart[];

/** A figure for each of them. */
export type PerPart = Readonly<Record<SharedPart, number>>;

export function perPart(figure: (part: SharedPart) => number): PerPart {
  return Object.fromEntries(PARTS.map((part) => [part, figure(part)])) as unknown as PerPart;
}

/** What was used up to a moment. */
export interface Usage {
  readonly atMs: number;
  /** Processor seconds. */
  readonly cpu: PerPart;
  readonly nodesCpu: number;
  /** Messages that the broker took and gave. */
  readonly messages: number;
}

/** Processor seconds and messages so far. */
export async function usageOf(fleet: RunningFleet): Promise<Usage> {
  const processes = fleet.supervisor.summary();
  const pidOf = (name: string): number => processes.find((one) => one.name === name)?.pid ?? Number.NaN;
  const [monitor = ''] = fleet.run.natsMonitorUrls.split(',');
  const broker = (await (await fetch(`${monitor}/varz`)).json()) as { in_msgs: number; out_msgs: number };
  return {
    atMs: performance.now(),
    cpu: perPart((part) => treeCpuSeconds(pidOf(part))),
    nodesCpu: processes
      .filter(({ name }) => name.startsWith('node-'))
      .reduce((sum, { pid }) => sum + treeCpuSeconds(pid), 0),
    messages: broker.in_msgs + broker.out_msgs,
  };
}

/** What was used between two moments, per second. */
export interface Rates {
  readonly seconds: number;
  readonly cpu: PerPart;
  readonly messages: number;
}

export function ratesBetween(before: Usage, after: Usage): Rates {
  const seconds = (after.atMs - before.atMs) / 1_000;
  return {
    seconds,
    cpu: perPart((part) => (after.cpu[part] - before.cpu[part]) / seconds),
    messages: (after.messages - before.messages) / seconds,
  };
}
