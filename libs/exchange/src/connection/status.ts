import type { ChannelParameters } from '@seedfleet/payment-channel';

import type { PeerMode } from '../effects.js';
import { inSession } from '../extension/extension.js';
import { windowPieces } from '../seller/window.js';
import type { ConnectionState, Role, ServingRole } from './state.js';

/** A connection as metrics and operators see it. */
export interface ConnectionStatus {
  readonly role: Role['kind'];
  readonly inSession: boolean;
  readonly closed: boolean;
  readonly peerMode: PeerMode;
  /** `v` of the peer's extended handshake. */
  readonly client: string | undefined;
  readonly channel: ChannelStatus | undefined;
}

/** A funded channel of ours as a seller. */
export interface ChannelStatus {
  readonly parameters: ChannelParameters;
  readonly requested: number;
  readonly delivered: number;
  readonly deliveredBytes: number;
  readonly paid: number;
  readonly stored: number;
  /** Most payments the funding can carry. */
  readonly cap: number;
  /** Pieces that may be delivered beyond the durable payments now. */
  readonly windowPieces: number;
  readonly paused: boolean;
}

export function connectionStatus(conn: ConnectionState): ConnectionStatus {
  return {
    role: conn.role.kind,
    inSession: inSession(conn.extension),
    closed: conn.outbox.closed,
    peerMode: conn.peerMode,
    client: conn.extension.client,
    channel: conn.role.kind === 'serving' ? channelStatus(conn, conn.role) : undefined,
  };
}

function channelStatus(conn: ConnectionState, { delivery, template }: ServingRole): ChannelStatus {
  const { requested, delivered, deliveredBytes, paid, stored, cap, paused } = delivery;
  return {
    parameters: template.channel,
    requested,
    delivered,
    deliveredBytes,
    paid,
    stored,
    cap,
    windowPieces: windowPieces(conn.config.seller.window, stored),
    paused,
  };
}
