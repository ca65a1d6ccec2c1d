import {
  decodeMessage,
  FrameSplitter,
  MESSAGE_NAMES,
  MESSAGE_ID,
  type Message,
  type MessageName,
} from '@seedfleet/wire';
import { isOnCurve } from '../wire/messages.js';
import { FactFinder, type Facts } from './facts.js';
import { emitted, type Player } from './play-log.js';
import { filled, type Script, type Step } from './script.js';

/** Length of the BitTorrent handshake, where its reserved bytes and the peer id are, and the bit for BEP 10 (BEP 3, 10). */
const HANDSHAKE_BYTES = 68;
const RESERVED_AT = 20;
const PEER_ID_AT = 48;
const EXTENSION_BYTE = 5;
const EXTENSION_BIT = 0x10;

/** Only a negative 32-bit length is refused by the reference's BitTorrent library (wire protocol §1). */
const MAX_FRAME_BYTES = 0x7fff_ffff;

/** The scripted peer's end of the connection: its bytes become a handshake, then frames. */
class PeerStream {
  #head = new Uint8Array();
  #splitter: FrameSplitter | undefined;
  #extensions = false;

  constructor(
    readonly player: Player,
    /** Whether the reference installed the extension as soon as it was connected. */
    readonly installs: boolean,
  ) {}

  /** Extended messages that these bytes complete. */
  push(bytes: Uint8Array): { readonly id: number; readonly payload: Uint8Array }[] {
    let rest = bytes;
    if (this.#splitter === undefined) {
      const head = new Uint8Array(this.#head.length + bytes.length);
      head.set(this.#head);
      head.set(bytes, this.#head.length);
      this.#head = head;
      if (head.length < HANDSHAKE_BYTES) return [];
      this.#splitter = new FrameSplitter(MAX_FRAME_BYTES);
      this.#extensions = ((head[RESERVED_AT + EXTENSION_BYTE] ?? 0) & EXTENSION_BIT) !== 0;
      if (this.#extensions) this.#connect(head.slice(PEER_ID_AT, HANDSHAKE_BYTES));
      rest = head.subarray(HANDSHAKE_BYTES);
    }
    const split = this.#splitter.push(rest);
    if (!split.ok) this.#refuse();
    const extended = split.frames.flatMap((frame) =>
      frame.kind === 'extended' ? [{ id: frame.extendedId, payload: frame.payload }] : [],
    );
    if (this.#extensions) return extended;
    // A host hands only connections with BEP 10 to the machines, and closes the others on their first extended message.
    if (extended.length > 0) this.#refuse();
    return [];
  }

  #connect(peerId: Uint8Array): void {
    this.player.connect(peerId);
    if (this.installs) this.player.act({ kind: 'install' });
  }

  /** What is no BitTorrent is the host's to refuse. */
  #refuse(): void {
    const { log } = this.player;
    log.closed ??= { stimulus: log.stimulus, code: 'local' };
  }
}

const isBtHandshake = (step: Step): boolean => step.kind === 'send' && step.what.startsWith('bt_handshake');

/** Plays the script's frames into our side and returns what was true at each of them. */
export const play = (script: Script, player: Player, pieceLengthBytes: number): Facts[] => {
  const { log } = player;
  const finder = new FactFinder(script.reference, script.crashed, pieceLengthBytes);
  const facts: Facts[] = [];
  let stream = new PeerStream(player, installsAtOnce(script, 0));
  let connections = 0;
  const read: Read = { handshakes: 0, messages: new Map() };
  script.steps.forEach((step, at) => {
    log.stimulus = at;
    if (isBtHandshake(step)) {
      if (connections > 0) stream = new PeerStream(player, installsAtOnce(script, at));
      connections += 1;
    }
    switch (step.kind) {
      case 'send':
        if (step.bytes === undefined) {
          if (/clos|disconnect|shut|eof|reset/i.test(step.what)) player.disconnect();
          return;
        }
        for (const frame of stream.push(filled(step.bytes))) {
          facts.push(finder.peer(at, frame.id, frame.payload));
          player.receive(frame.id, frame.payload);
        }
        return;
      case 'handshake':
        read.handshakes += 1;
        if (handshakesSent(player) < read.handshakes) actHandshake(player, step.m);
        return;
      case 'message': {
        const message = messageOf(step);
        const count = (read.messages.get(step.type) ?? 0) + 1;
        read.messages.set(step.type, count);
        facts.push(finder.local(at, message));
        const name = messageName(step.type);
        if (name === undefined || emitted(log, name) >= count) return;
        if (message !== undefined) player.act({ kind: 'message', message });
        if (emitted(log, name) < count) actOnNextDecision(script, at, player, read);
        return;
      }
      default:
    }
  });
  log.stimulus = script.steps.length;
  player.disconnect();
  return facts;
};

/** What the script has read so far. */
interface Read {
  handshakes: number;
  readonly messages: Map<string, number>;
}

/**
 * A message that follows from a decision the script read only afterwards, such as the last payments of a buyer that goes
 * on to observe: the decision is taken now.
 */
const actOnNextDecision = (script: Script, at: number, player: Player, read: Read): void => {
  for (const step of script.steps.slice(at + 1)) {
    if (step.kind === 'send') return;
    if (step.kind === 'handshake' && handshakesSent(player) <= read.handshakes) return actHandshake(player, step.m);
    if (step.kind !== 'message' || !['observe', 'buy', 'sell'].includes(step.type)) continue;
    const message = messageOf(step);
    if (message !== undefined) return player.act({ kind: 'message', message });
  }
};

const handshakesSent = (player: Player): number =>
  player.log.emissions.filter((emission) => emission.kind === 'handshake').length;

const messageName = (type: string): MessageName | undefined => MESSAGE_NAMES.find((name) => name === type);

/** Whether the reference installed the extension as soon as it was connected: unless it first showed a plain handshake. */
const installsAtOnce = (script: Script, from: number): boolean => {
  const first = script.steps.slice(from).find((step) => step.kind === 'handshake');
  return first?.kind !== 'handshake' || Object.keys(first.m).some((key) => key.startsWith('js_'));
};

const actHandshake = (player: Player, m: Readonly<Record<string, number>>): void => {
  const ids = Object.entries(m)
    .filter(([key]) => key.startsWith('js_'))
    .map(([, id]) => id);
  if (ids.length === 0) return;
  player.act({ kind: ids.every((id) => id === 0) ? 'uninstall' : 'install' });
};

/** A message the script read, unless its payload was shortened. */
const messageOf = (step: Extract<Step, { kind: 'message' }>): Message | undefined => {
  const name = messageName(step.type);
  if (name === undefined || step.payload.shown.length < step.payload.length) return undefined;
  const decoded = decodeMessage(MESSAGE_ID[name], step.payload.shown, isOnCurve);
  return decoded.ok ? decoded.message : undefined;
};
