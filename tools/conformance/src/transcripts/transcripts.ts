import {
  bestEcdsa,
  concatBytes,
  prepareSettlement,
  toHex,
  verifyBuyerSignature,
  type ChannelParameters,
  type Network,
} from '@seedfleet/payment-channel';
import { encodeFrame } from '@seedfleet/wire';
import { Differences } from '../compare.js';
import { VectorError, type Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { readCapture, type CapturedFrame, type Connection } from './capture.js';
import { readChannels, type CapturedChannel } from './channels.js';
import { runEventLogs } from './event-logs.js';
import { compareReplay } from './replay.js';

/** One network of each signing rule; which one of a rule it was makes no difference to a signature. */
const NETWORK_OF_RULE: readonly Network[] = ['regtest', 'regtest_bitcoin_cash'];

/**
 * A capture: every frame decodes and encodes to itself, every payment is payment k under exactly one signing rule, our
 * seller counts the same payments, and the logs beside it tell the same settlement and refund.
 */
export const runTranscript = (
  lines: readonly Fields[],
  candidateLogs: readonly (readonly Fields[])[],
  report: Report,
  file: string,
): void => {
  let connections: Connection[] = [];
  report.run(`${file} capture`, () => {
    connections = readCapture(lines);
    return connections.flatMap(({ name, faults }) => faults.map((fault) => `${name} ${fault}`));
  });
  const logs = candidateLogs.filter((log) => belongsTo(log, connections));
  for (const connection of connections) {
    report.run(`${file} ${connection.name} frames`, () => connection.frames.flatMap(compareFrame));
    const channels = readChannels(connection);
    const networks = channels.map((channel) => runPayments(channel, report, file));
    const network = networks[0];
    if (network !== undefined) {
      report.run(`${file} ${connection.name} replayed`, () =>
        compareReplay(connection, channels, network, logs, report),
      );
    }
    channels.forEach((channel, at) => {
      const own = networks[at];
      if (own !== undefined) runEventLogs(channel, withNetwork(channel, own), logs, report, file);
    });
  }
};

/** Whether a log mentions one of the capture's peers. */
const belongsTo = (log: readonly Fields[], connections: readonly Connection[]): boolean => {
  const peers = connections.flatMap(({ buyerPeerId, sellerPeerId }) => [buyerPeerId, sellerPeerId]);
  const names = new Set(peers.flatMap((peer) => (peer === undefined ? [] : [toHex(peer)])));
  return log.some((event) => event.has('peer') && names.has(event.text('peer')));
};

const withNetwork = ({ parameters }: CapturedChannel, network: Network): ChannelParameters => ({
  ...parameters,
  network,
});

const compareFrame = (frame: CapturedFrame, position: number): string[] => {
  const what = `frame ${position} (${frame.direction}, id ${frame.id})`;
  if (frame.kind === 'handshake') {
    const { handshake } = frame;
    if (!handshake.ok) return [`${what}: handshake is not read: ${handshake.code}`];
    return handshake.extension.kind === 'invalid' ? [`${what}: handshake is refused: ${handshake.extension.code}`] : [];
  }
  const { decoded } = frame;
  if (!decoded.ok) return [`${what}: ${frame.name} is refused: ${decoded.code} (${decoded.field ?? ''})`];
  const { header, body } = encodeFrame(decoded.message, frame.ids);
  const diff = new Differences();
  const encoded = body === undefined ? header : concatBytes(header, body);
  diff.same(`${what} payload`, frame.payload, encoded.subarray(6));
  diff.same(`${what} length`, 2 + frame.payload.length, new DataView(encoded.buffer, encoded.byteOffset).getUint32(0));
  diff.same(`${what} id`, frame.id, encoded[5]);
  return diff.found;
};

/** Checks each payment of a channel; the network that they tell, undefined where they tell none. */
const runPayments = (channel: CapturedChannel, report: Report, file: string): Network | undefined => {
  const templates = NETWORK_OF_RULE.map((network) => ({
    network,
    template: prepareSettlement(withNetwork(channel, network)),
  }));
  let found: Network | undefined;
  channel.payments.forEach((signature, at) => {
    const k = at + 1;
    report.run(`${file} ${channel.name} payment ${k}`, () => {
      const good = templates.filter(({ template }) => verifyBuyerSignature(template, k, signature, bestEcdsa()).ok);
      const network = good[0]?.network;
      if (network === undefined) return ['verifies under neither signing rule'];
      if (good.length > 1) return ['verifies under both signing rules'];
      if (found !== undefined && found !== network)
        throw new VectorError('payments of one channel differ in their rule');
      found = network;
      return [];
    });
  });
  return found;
};
