import { Inject, Injectable } from '@nestjs/common';
import {
  Bus,
  chainBroadcast,
  chainCancelOrder,
  chainFileOrder,
  chainWithdraw,
  chainGetBroadcast,
  chainGetOrder,
  chainGetOutput,
  chainWatchOutput,
  type BusResult,
} from '@seedfleet/bus';
import type { z } from 'zod';

/** Below the time that a node waits for our own answer. */
const TIMEOUT_MS = 3_000;

export type ChainOutput = z.output<typeof chainGetOutput.reply>;
export type ChainBroadcastState = NonNullable<z.output<typeof chainGetBroadcast.reply>['broadcast']>;

export type FiledOrder = z.output<typeof chainFileOrder.request>;
export type OrderStanding = z.output<typeof chainFileOrder.reply>;
export type OrderStandingNow = z.output<typeof chainGetOrder.reply>;

export type BroadcastReply = z.output<typeof chainBroadcast.reply>;

/** A transaction that is handed to the chain. */
export interface Handed {
  readonly txid: string;
  readonly raw: Uint8Array;
  /** Given back with all news of it. */
  readonly label: string;
}

const order = ({ txid, raw, label }: Handed) => ({ txid, raw: new Uint8Array(raw), label });

/** What this service asks of chain-watcher. */
@Injectable()
export class ChainClient {
  constructor(@Inject(Bus) private readonly bus: Bus) {}

  output(txid: string, vout: number): Promise<BusResult<ChainOutput>> {
    return this.bus.request(chainGetOutput, { txid, vout }, TIMEOUT_MS);
  }

  watch(txid: string, vout: number, script: Uint8Array, label: string): Promise<BusResult<object>> {
    return this.bus.request(chainWatchOutput, { txid, vout, script: new Uint8Array(script), label }, TIMEOUT_MS);
  }

  broadcast(txid: string, raw: Uint8Array, label: string): Promise<BusResult<BroadcastReply>> {
    return this.bus.request(chainBroadcast, order({ txid, raw, label }), TIMEOUT_MS);
  }

  /** Hands over a child with the parent that it pays for: they are stored and sent together. */
  broadcastChild(child: Handed, parent: Handed, replaces: string | null): Promise<BusResult<BroadcastReply>> {
    const both = { ...order(child), parent: order(parent), ...(replaces === null ? {} : { replaces }) };
    return this.bus.request(chainBroadcast, both, TIMEOUT_MS);
  }

  /** Sends a transaction no more. */
  withdraw(txid: string): Promise<BusResult<z.output<typeof chainWithdraw.reply>>> {
    return this.bus.request(chainWithdraw, { txid }, TIMEOUT_MS);
  }

  /** Files an order to send a transaction at a date, in place of the one before. */
  fileOrder(filed: FiledOrder): Promise<BusResult<OrderStanding>> {
    return this.bus.request(chainFileOrder, filed, TIMEOUT_MS);
  }

  /** How an order stands with everybody who may hold it. */
  order(id: string): Promise<BusResult<OrderStandingNow>> {
    return this.bus.request(chainGetOrder, { id }, TIMEOUT_MS);
  }

  cancelOrder(id: string): Promise<BusResult<OrderStanding>> {
    return this.bus.request(chainCancelOrder, { id }, TIMEOUT_MS);
  }

  async broadcastState(txid: string): Promise<BusResult<ChainBroadcastState | null>> {
    const reply = await this.bus.request(chainGetBroadcast, { txid }, TIMEOUT_MS);
    return reply.ok ? { ok: true, value: reply.value.broadcast } : reply;
  }
}
