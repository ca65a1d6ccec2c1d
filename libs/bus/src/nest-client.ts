import { ClientNats } from '@nestjs/microservices';
import type { NatsConnection } from '@nats-io/transport-node';
import { firstValueFrom, timeout, TimeoutError } from 'rxjs';
import type { BusResult } from './bus.js';

/** Nest's NATS client on the process's one connection, answering with results instead of exceptions. */
export class FleetNatsClient extends ClientNats {
  constructor(
    private readonly connection: NatsConnection,
    inboxPrefix: string,
  ) {
    super({ inboxPrefix });
  }

  override createClient(): Promise<NatsConnection> {
    return Promise.resolve(this.connection);
  }

  /** The bus owns the connection and follows its status. */
  override handleStatusUpdates(): Promise<void> {
    return Promise.resolve();
  }

  async ask(subject: string, payload: unknown, timeoutMs: number): Promise<BusResult<unknown>> {
    if (this.connection.isClosed()) return { ok: false, code: 'bus_disconnected', detail: 'the connection is closed' };
    try {
      return await firstValueFrom(
        this.send<BusResult<unknown>, unknown>(subject, payload).pipe(timeout({ first: timeoutMs })),
      );
    } catch (failure) {
      if (failure instanceof TimeoutError) {
        return { ok: false, code: 'bus_timeout', detail: `no answer to ${subject} within ${timeoutMs} ms` };
      }
      const detail = failure instanceof Error ? failure.message : JSON.stringify(failure);
      const nobody = /empty response|no responders|no matching message handler/i.test(detail);
      return { ok: false, code: nobody ? 'bus_no_responder' : 'bus_disconnected', detail };
    }
  }
}
