/**
 * The extension layer of one connection: who has installed what, and which ids to send under (wire protocol §3, §4;
 * hazards H1, H2, H3, H37).
 */

import { MESSAGE_ID, readExtendedHandshake, type MessageIds } from '@seedfleet/wire';

import type { CloseCode, NoteCode } from '../codes.js';
import type { PeerIdentity } from '../config.js';

export interface ExtensionState {
  /** What our last extended handshake said about the paid protocol. */
  ours: 'none' | 'installed' | 'uninstalled';
  /** The peer's valid mapping, while it stands. */
  peerIds: MessageIds | undefined;
  /** `v` of the peer's latest extended handshake that had one. */
  client: string | undefined;
}

export const newExtension = (): ExtensionState => ({ ours: 'none', peerIds: undefined, client: undefined });

/** Whether messages may pass: our handshake was sent, the peer's mapping is valid, nobody has uninstalled. */
export const inSession = (extension: ExtensionState): boolean =>
  extension.ours === 'installed' && extension.peerIds !== undefined;

/** What a received extended handshake means for the connection. */
export type HandshakeOutcome =
  /** Nothing to do, perhaps something to count. */
  | { readonly kind: 'unchanged'; readonly note?: NoteCode }
  /** The peer's mapping is now valid; it was not before. */
  | { readonly kind: 'installed' }
  /** The peer's mapping is gone; it was valid before. */
  | { readonly kind: 'removed'; readonly note?: NoteCode }
  | { readonly kind: 'refused'; readonly code: CloseCode };

/**
 * Takes in one extended handshake. Stricter than the reference about mappings, and milder about repetition: an unusable
 * mapping makes a plain peer, and a repeated or later handshake is taken as it comes instead of closing.
 */
export const receiveHandshake = (extension: ExtensionState, body: Uint8Array): HandshakeOutcome => {
  const handshake = readExtendedHandshake(body);
  if (!handshake.ok) return { kind: 'unchanged', note: handshake.code };
  if (handshake.client !== undefined) extension.client = handshake.client;
  const verdict = handshake.extension;
  const wasInstalled = extension.peerIds !== undefined;
  switch (verdict.kind) {
    case 'none':
      return wasInstalled ? { kind: 'unchanged', note: 'handshake-without-version' } : { kind: 'unchanged' };
    case 'install':
      extension.peerIds = verdict.ids;
      return wasInstalled ? { kind: 'unchanged', note: 'handshake-repeated' } : { kind: 'installed' };
    case 'uninstall':
      extension.peerIds = undefined;
      return wasInstalled ? { kind: 'removed' } : { kind: 'unchanged', note: 'uninstall-without-mapping' };
    case 'invalid':
      return refuseOrDemote(extension, verdict.code, wasInstalled);
  }
};

type InvalidCode = Extract<
  Extract<ReturnType<typeof readExtendedHandshake>, { ok: true }>['extension'],
  { kind: 'invalid' }
>['code'];

const refuseOrDemote = (extension: ExtensionState, code: InvalidCode, wasInstalled: boolean): HandshakeOutcome => {
  switch (code) {
    case 'version-without-dot':
    case 'version-not-numeric':
    case 'version-too-long':
    case 'version-mismatch':
    case 'mapping-missing':
      return { kind: 'refused', code };
    default:
      extension.peerIds = undefined;
      return wasInstalled ? { kind: 'removed', note: code } : { kind: 'unchanged', note: code };
  }
};

const startsWith = (bytes: Uint8Array, ascii: string): boolean => {
  for (let i = 0; i < ascii.length; i += 1) if (bytes[i] !== ascii.charCodeAt(i)) return false;
  return true;
};

/**
 * Ids to send under. A client derived from the reference looks incoming ids up in the table it received, ours, so it
 * is sent our numbers; any other is sent the numbers it announced, as BEP 10 says (wire protocol §4).
 */
export const outboundIds = (extension: ExtensionState, peer: PeerIdentity): MessageIds | undefined => {
  if (!inSession(extension)) return undefined;
  const derived = startsWith(peer.peerId, '-JS') || extension.client?.startsWith('JoyStream') === true;
  return derived ? MESSAGE_ID : extension.peerIds;
};
