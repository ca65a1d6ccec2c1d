import type { Message, MessageIds, MessageName } from '@seedfleet/wire';

import { isPenalised, type CloseCode, type NoteCode } from './codes.js';
import type { Effect } from './effects.js';

/**
 * Collects the effects of one step. It holds the gate of hazard H3: without ids, that is unless our handshake was sent,
 * the peer's mapping is valid and nobody has uninstalled, no message leaves; after a close nothing leaves at all.
 */
export class Outbox {
  private effects: Effect[] = [];
  private outboundIds: MessageIds | undefined;
  private isClosed = false;

  /** Whether the connection was closed, by us or by the transport. */
  get closed(): boolean {
    return this.isClosed;
  }

  /** Opens the gate with the ids to send under, or shuts it. */
  gate(ids: MessageIds | undefined): void {
    this.outboundIds = ids;
  }

  /** Id for a message, or undefined while the gate is shut. */
  idOf(name: MessageName): number | undefined {
    return this.isClosed ? undefined : this.outboundIds?.[name];
  }

  /** Sends a message if the gate is open. */
  send(message: Message): void {
    const id = this.idOf(message.type);
    if (id !== undefined) this.effects.push({ type: 'send', id, message });
  }

  /** Any effect that is not a message. */
  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  note(code: NoteCode, message?: MessageName): void {
    this.effects.push(message === undefined ? { type: 'note', code } : { type: 'note', code, message });
  }

  /** Asks for the connection to be closed, once. */
  close(code: CloseCode, reason?: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const penalise = isPenalised(code);
    this.effects.push(
      reason === undefined ? { type: 'close', code, penalise } : { type: 'close', code, penalise, reason },
    );
  }

  /** The transport is gone: nothing to close any more. */
  markClosed(): void {
    this.isClosed = true;
  }

  /** The step's effects, in order; the next step starts empty. */
  take(): Effect[] {
    const taken = this.effects;
    this.effects = [];
    return taken;
  }
}
