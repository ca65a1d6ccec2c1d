import type { TorrentShape } from '@seedfleet/exchange';
import { kCap, type Network } from '@seedfleet/payment-channel';
import type { Message, MessageName } from '@seedfleet/wire';
import { Differences } from '../compare.js';
import { VectorError, type Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { findRule, PAYMENT_RULES } from '../rules.js';
import { emitted } from '../scenarios/play-log.js';
import { SellerPlayer } from '../scenarios/seller-player.js';
import type { CapturedFrame, Connection } from './capture.js';
import type { CapturedChannel } from './channels.js';

/**
 * Our seller in the place of the captured one: it gets the buyer's frames and decides what the captured seller decided,
 * when it did. It must count the same payments.
 */
export const compareReplay = (
  connection: Connection,
  channels: readonly CapturedChannel[],
  network: Network,
  logs: readonly (readonly Fields[])[],
  report: Report,
): string[] => {
  if (connection.buyerPeerId === undefined) throw new VectorError('the buyer sent no handshake');
  const quotes = connection.frames.flatMap((frame) => {
    const message = messageOf(frame, 's2c');
    return message?.type === 'sell' ? [message.terms] : [];
  });
  const torrent = torrentOf(connection, logs);
  const player = new SellerPlayer({ network, torrent, quotes, mode: firstMode(connection), joins: [], joinsRead: 0 });
  player.connect(connection.buyerPeerId);
  const seen = new Map<MessageName, number>();
  connection.frames.forEach((frame, at) => {
    player.log.stimulus = at;
    if (frame.direction === 'c2s') player.receive(frame.id, frame.payload);
    else act(player, frame, seen);
  });
  player.log.stimulus = connection.frames.length;
  player.disconnect();
  return comparePayments(channels, player, report);
};

const messageOf = (frame: CapturedFrame, direction: CapturedFrame['direction']): Message | undefined =>
  frame.kind === 'message' && frame.direction === direction && frame.decoded.ok ? frame.decoded.message : undefined;

const firstMode = (connection: Connection): 'observe' | 'sell' => {
  const modes = connection.frames.flatMap((frame) => messageOf(frame, 's2c')?.type ?? []);
  return modes.find((type) => type === 'observe' || type === 'sell') === 'observe' ? 'observe' : 'sell';
};

const act = (player: SellerPlayer, frame: CapturedFrame, seen: Map<MessageName, number>): void => {
  if (frame.kind === 'handshake') {
    const kind = frame.handshake.ok ? frame.handshake.extension.kind : 'none';
    if (kind === 'install' || kind === 'uninstall') player.act({ kind });
    return;
  }
  const message = messageOf(frame, 's2c');
  if (message === undefined) return;
  const count = (seen.get(message.type) ?? 0) + 1;
  seen.set(message.type, count);
  if (emitted(player.log, message.type) < count) player.act({ kind: 'message', message });
};

/** The torrent as a log describes it, else as far as the pieces that were asked for and sent tell. */
const torrentOf = (connection: Connection, logs: readonly (readonly Fields[])[]): TorrentShape => {
  const described = logs.flat().find((event) => event.text('event') === 'torrent');
  if (described?.has('pieces') && described.has('pieceLength') && described.has('size')) {
    return {
      pieces: described.number('pieces'),
      pieceLengthBytes: described.number('pieceLength'),
      totalBytes: described.number('size'),
    };
  }
  const requested = connection.frames.flatMap((frame) => {
    const message = messageOf(frame, 'c2s');
    return message?.type === 'request_full_piece' ? [message.piece] : [];
  });
  const sizes = connection.frames.flatMap((frame) => {
    const message = messageOf(frame, 's2c');
    return message?.type === 'full_piece' ? [message.data.length] : [];
  });
  const pieces = Math.max(0, ...requested) + 1;
  const pieceLengthBytes = Math.max(1, ...sizes);
  return { pieces, pieceLengthBytes, totalBytes: pieces * pieceLengthBytes };
};

/** Payments beyond the last relayable settlement are not counted, by rule; the buyer is cut off there. */
const comparePayments = (channels: readonly CapturedChannel[], player: SellerPlayer, report: Report): string[] => {
  const diff = new Differences();
  let expected = 0;
  for (const { parameters, payments } of channels) {
    const cap = kCap(parameters.fundingValueSat, parameters.priceSat);
    const rule = findRule(PAYMENT_RULES, { k: payments.length, ...parameters });
    if (rule !== undefined) report.useRule(rule.id);
    expected += rule !== undefined && cap.ok ? cap.k : payments.length;
  }
  diff.same('payments', expected, player.log.payments);
  const settled = player.log.settlements.reduce((sum, settlement) => sum + settlement.payments, 0);
  diff.same('settled payments', expected, settled);
  if (diff.found.length > 0 && player.log.closed !== undefined) {
    diff.note(`we closed at frame ${player.log.closed.stimulus}: ${player.log.closed.code}`);
  }
  return diff.found;
};
