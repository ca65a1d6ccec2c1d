import type { CloseCode, NoteCode } from '@seedfleet/exchange';
import type { ChannelParameters } from '@seedfleet/payment-channel';
import type { Message, MessageName } from '@seedfleet/wire';

/** Something our side wrote to the connection. `stimulus` is the step of the script that brought it about. */
export type Emission =
  | { readonly kind: 'handshake'; readonly stimulus: number; readonly install: boolean }
  | {
      readonly kind: 'message';
      readonly stimulus: number;
      readonly type: MessageName;
      readonly id: number;
      /** Absent for a piece, whose bytes our side never sees. */
      readonly message?: Message;
      readonly piece?: number;
    };

export interface Settlement {
  readonly payments: number;
  readonly paidSat: bigint;
  readonly signature: Uint8Array | undefined;
}

/** All that can be seen of our side during one scenario. */
export interface PlayLog {
  /** Step being played; `steps.length` after the last. */
  stimulus: number;
  readonly emissions: Emission[];
  closed: { readonly stimulus: number; readonly code: CloseCode } | undefined;
  readonly notes: { readonly stimulus: number; readonly code: NoteCode }[];
  /** Payments counted as a seller, or sent as a buyer. */
  payments: number;
  readonly settlements: Settlement[];
  /** Parameters of the funded channel, once there is one. */
  channel: ChannelParameters | undefined;
}

export const newPlayLog = (): PlayLog => ({
  stimulus: 0,
  emissions: [],
  closed: undefined,
  notes: [],
  payments: 0,
  settlements: [],
  channel: undefined,
});

export const emitted = (log: PlayLog, type: MessageName): number =>
  log.emissions.filter((emission) => emission.kind === 'message' && emission.type === type).length;

/** Our side of a scenario, behind one interface for both roles. */
export interface Player {
  readonly log: PlayLog;
  /** The scripted peer's BitTorrent handshake is complete. */
  connect(peerId: Uint8Array): void;
  /** One extended message of the scripted peer. */
  receive(id: number, payload: Uint8Array): void;
  /** The reference did this of its own accord, or its user did; do the same now. */
  act(local: LocalAct): void;
  /** The connection is gone. */
  disconnect(): void;
}

/** What the reference's own side decided, as far as the script read it. */
export type LocalAct =
  | { readonly kind: 'install' }
  | { readonly kind: 'uninstall' }
  | { readonly kind: 'message'; readonly message: Message };
