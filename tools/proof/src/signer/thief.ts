import { readFileSync } from 'node:fs';
import { Bus, type RequestContract } from '@seedfleet/bus';
import { natsUrlFor } from '@seedfleet/fleet';
import type { z } from 'zod';
import { waitFor, type World } from '../world/world.js';

const ANSWER_MS = 10_000;
const LOG_MS = 30_000;

type Given = { readonly given: boolean; readonly code?: string };

/** Somebody at the broker with a credential of the fleet's. Remembers why it was refused. */
export class Thief {
  /** How often it was refused, by code. */
  readonly refusals = new Map<string, number>();
  private readonly logFrom: number;

  private constructor(
    private readonly bus: Bus,
    private readonly signerLog: string,
  ) {
    this.logFrom = readFileSync(signerLog).length;
  }

  /** @param name whose credential it has */
  static async at(world: World, name: string): Promise<Thief> {
    const { run, state, supervisor } = world.fleet;
    const bus = await Bus.connect({
      natsUrl: natsUrlFor(run.nats, state, name),
      fleetId: run.id,
      service: 'channel-service',
      instance: 'thief',
      onRejected: () => undefined,
    });
    return new Thief(bus, supervisor.logOf('channel-signer'));
  }

  /** What the signer gives, or the code of why it, or the bus, gives nothing. */
  async ask<Q extends z.ZodType, A extends z.ZodType<Given>>(
    contract: RequestContract<Q, A>,
    order: z.output<Q>,
    timeoutMs = ANSWER_MS,
  ): Promise<z.output<A> | string> {
    const reply = await this.bus.request(contract, order, timeoutMs);
    const given: Given | undefined = reply.ok ? reply.value : undefined;
    if (reply.ok && given?.given === true) return reply.value;
    const code = reply.ok ? (given?.code ?? 'nothing') : reply.code;
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    return code;
  }

  /** Every refusal is in the signer's log output, with its code. */
  async loggedFaults(): Promise<string[]> {
    const missing = (): string[] => {
      const text = readFileSync(this.signerLog).subarray(this.logFrom).toString('utf8');
      return [...this.refusals].flatMap(([code, count]) => {
        const shown = text.split(`"code":"${code}"`).length - 1;
        return shown >= count ? [] : [`${code}: refused ${count} times, and ${shown} times in its output`];
      });
    };
    await waitFor(() => missing().length === 0, LOG_MS, 'the refusals to be in the log').catch(() => undefined);
    return missing();
  }

  async close(): Promise<void> {
    await this.bus.connection.close();
  }
}
