import type { LinkStatus, TransportEffect } from '@seedfleet/exchange';
import { encodeExtendedHandshake, encodePayload } from '@seedfleet/wire';
import type { Peer } from '@seedfleet/bittorrent';
import { faultPoint } from '../fault-points.js';
import { PEX_ID } from './ordinary-peers.js';

/** Carries out what the machine wants of one connection. `userAgent` is the handshake's `v`. */
export function carryOutOnPeer(peer: Peer, effect: TransportEffect, userAgent: string): void {
  switch (effect.type) {
    case 'send-handshake':
      peer.sendExtendedHandshake(
        encodeExtendedHandshake({
          kind: effect.kind,
          topLevel: { v: Buffer.from(userAgent) },
          foreignIds: { ut_pex: PEX_ID },
        }),
      );
      return;
    case 'send':
      peer.sendExtended(effect.id, encodePayload(effect.message));
      if (effect.message.type === 'ready') faultPoint('contract.after-announce');
      return;
    case 'close':
      void peer.finish();
      return;
    case 'session-joined':
    case 'session-left':
    case 'peer-mode':
    case 'note':
      return;
  }
}

/** Who offered what, for the message of a search that found nobody. */
export function offersText(links: readonly LinkStatus[], nameOf: (connection: number) => string): string {
  const offers = links.flatMap(({ peerMode, connection }) =>
    peerMode.kind === 'sell'
      ? [`${nameOf(connection)} asks ${peerMode.terms.minPrice} sat a piece, lock ${peerMode.terms.minLock}`]
      : [],
  );
  return offers.length === 0 ? 'no seller made an offer' : offers.join('; ');
}
