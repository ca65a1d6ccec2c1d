import { MessagePattern, NatsContext, ServerNats, type MessageHandler } from '@nestjs/microservices';
import type { NatsConnection } from '@nats-io/transport-node';
import { isObservable, lastValueFrom } from 'rxjs';
import type { z } from 'zod';
import { isFrom, type Bus, type BusResult } from './bus.js';
import type { RequestContract } from './contract.js';

/**
 * Marks a controller's method as the answer to a request. It receives the decoded request and returns the reply as
 * domain values; schema checks and error codes are the transport's.
 */
export const Handles = (contract: RequestContract): MethodDecorator => MessagePattern(contract.subject, { contract });

/**
 * Nest's NATS transport for one fleet: subjects get the fleet's prefix, the process's one connection is used, every
 * request is checked against its contract before a handler sees it, and every failure is an answer with a code.
 */
export class FleetNatsServer extends ServerNats {
  constructor(private readonly bus: Bus) {
    super({ queue: bus.options.service });
  }

  override createNatsClient(): Promise<NatsConnection> {
    return Promise.resolve(this.bus.connection);
  }

  /** The bus follows the connection's status. */
  override handleStatusUpdates(): Promise<void> {
    return Promise.resolve();
  }

  override addHandler(
    pattern: string,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    const contract = extras['contract'] as RequestContract | undefined;
    if (contract === undefined || isEventHandler) {
      throw new Error(`${String(pattern)}: handlers are declared with @Handles(contract)`);
    }
    super.addHandler(this.bus.subject(contract.subject), this.guard(contract, callback), false, extras);
  }

  /** A message that is not even JSON has no one to answer; it is counted like every other. */
  override async handleMessage(channel: string, message: { data: Uint8Array; subject: string }): Promise<unknown> {
    try {
      return await super.handleMessage(channel, message);
    } catch (failure) {
      this.bus.reject('invalid_message', channel, String(failure), message.data);
      return undefined;
    }
  }

  private guard(contract: RequestContract, callback: MessageHandler): MessageHandler {
    const answer = async (data: unknown, context: unknown): Promise<BusResult<unknown>> => {
      const request = contract.request.safeDecode(data as z.input<typeof contract.request>);
      if (!request.success) {
        this.bus.reject('invalid_message', contract.subject, request.error.message, data);
        return { ok: false, code: 'invalid_message', detail: request.error.message.slice(0, 1_000) };
      }
      if (contract.fromNode && !(context instanceof NatsContext && isFrom(context.getSubject(), request.data))) {
        this.bus.reject('forged_sender', contract.subject, 'the request names another node than its subject', data);
        return { ok: false, code: 'forged_sender', detail: 'the request names another node than its subject' };
      }
      try {
        const result: unknown = await callback(request.data, context);
        const value: unknown = isObservable(result) ? await lastValueFrom(result) : result;
        return { ok: true, value: contract.reply.encode(value) };
      } catch (failure) {
        const detail = failure instanceof Error ? failure.message : JSON.stringify(failure);
        this.bus.reject('internal', contract.subject, detail);
        return { ok: false, code: 'internal', detail: 'the service failed on this request; see its log' };
      }
    };
    return answer as unknown as MessageHandler;
  }

  /** The connection is the bus's to close: draining it ends the subscriptions after what is in hand is answered. */
  override close(): Promise<void> {
    return Promise.resolve();
  }
}
