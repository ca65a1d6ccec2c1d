import type { ChannelParameters } from '@seedfleet/payment-channel';
import type { Message, SellerTerms } from '@seedfleet/wire';
import type { Connection } from './capture.js';

/** A channel as it was agreed on the wire, and the payments that followed. */
export interface CapturedChannel {
  readonly name: string;
  /** The network is not on the wire; the payments tell it. */
  readonly parameters: Omit<ChannelParameters, 'network'>;
  readonly payments: Uint8Array[];
}

type Joining = Extract<Message, { type: 'joining_contract' }>;
type Ready = Extract<Message, { type: 'ready' }>;

/** Follows terms, invitation, join and funding of a connection, and collects the payments of each channel. */
export const readChannels = (connection: Connection): CapturedChannel[] => {
  let quote: Extract<Message, { type: 'sell' }> | undefined;
  const channels: CapturedChannel[] = [];
  let accepted: SellerTerms | undefined;
  let joining: Joining | undefined;
  for (const frame of connection.frames) {
    if (frame.kind !== 'message' || !frame.decoded.ok) continue;
    const { message } = frame.decoded;
    if (frame.direction === 's2c') {
      if (message.type === 'sell') quote = message;
      else if (message.type === 'joining_contract') joining = message;
      continue;
    }
    if (message.type === 'join_contract') {
      // An invitation to outdated terms is dropped by the seller.
      if (message.index === quote?.index) accepted = quote.terms;
    } else if (message.type === 'payment') channels.at(-1)?.payments.push(message.signature);
    else if (message.type === 'ready' && accepted !== undefined && joining !== undefined) {
      const name = `${connection.name} channel ${channels.length + 1}`;
      channels.push({ name, parameters: parametersOf(accepted, joining, message), payments: [] });
    }
  }
  return channels;
};

const parametersOf = (terms: SellerTerms, joining: Joining, ready: Ready): CapturedChannel['parameters'] => ({
  priceSat: terms.minPrice,
  lockUnits: terms.minLock,
  settlementFeeSat: terms.settlementFee,
  fundingValueSat: ready.value,
  fundingOutpoint: ready.outpoint,
  buyerPublicKey: ready.buyerPublicKey,
  sellerPublicKey: joining.sellerPublicKey,
  buyerKeyHash: ready.buyerKeyHash,
  sellerKeyHash: joining.sellerKeyHash,
});
