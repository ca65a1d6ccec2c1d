import { randomBytes, randomUUID } from 'node:crypto';
import {
  bestEcdsa,
  derSignature,
  prepareSettlement,
  toHex,
  type ChannelParameters,
  type SettlementTemplate,
} from '@seedfleet/payment-channel';
import type pg from 'pg';

/** A funded channel that exists in the books, and nowhere on chain. */
export interface BenchChannel {
  readonly id: string;
  readonly template: SettlementTemplate;
  /** Payment k at place k − 1, signed beforehand. */
  readonly signatures: readonly Uint8Array[];
}

const ecdsa = bestEcdsa();
const BUYER_SECRET = new Uint8Array(32).fill(0x33);
const SELLER_SECRET = new Uint8Array(32).fill(0x44);
/** Far from the epochs of the fleet's own keys. */
const FIRST_EPOCH = 1_000_000;
const VALUE_SAT = 1_000_000_000n;
const ROWS_PER_STATEMENT = 1_000;

let epoch = FIRST_EPOCH;

/** Makes channels with their payments. */
export function makeChannels(count: number, paymentsEach: number): BenchChannel[] {
  return Array.from({ length: count }, () => {
    const template = prepareSettlement(parameters());
    const signatures = Array.from({ length: paymentsEach }, (_, at) =>
      derSignature(ecdsa.sign(template.digest(at + 1), BUYER_SECRET)),
    );
    return { id: randomUUID(), template, signatures };
  });
}

/** Writes the channels as the intake would have, once their funding is confirmed. */
export async function storeChannels(
  database: pg.Client,
  nodeId: string,
  channels: readonly BenchChannel[],
): Promise<void> {
  epoch += 1;
  for (let from = 0; from < channels.length; from += ROWS_PER_STATEMENT) {
    const part = channels.slice(from, from + ROWS_PER_STATEMENT);
    const rows = part.map(({ id, template: { channel } }, at) => ({
      id,
      txid: toHex(channel.fundingOutpoint.txid),
      vout: channel.fundingOutpoint.index,
      index: from + at,
    }));
    const { channel } = part[0]?.template ?? {};
    if (channel === undefined) return;
    await database.query(
      `INSERT INTO "channel"."channel" (
         "id", "joinId", "nodeId", "infoHash", "state", "stateReason", "nextActionAt", "termsIndex", "priceSat",
         "lockUnits", "settlementFeeSat", "minContractFeePerKbSat", "maxSellers", "buyerMaxPriceSat",
         "buyerMaxLockUnits", "buyerMaxContractFeePerKbSat", "pieceCount", "pieceLength", "totalBytes", "keyEpoch",
         "keyIndex", "sellerPublicKey", "sellerKeyHash", "peerAddress", "peerSubnet", "peerClient", "buyerPublicKey",
         "buyerKeyHash", "fundingValueSat", "fundingTxid", "fundingVout", "outpointClaimed", "fundingConfirmations",
         "kMin", "kCap")
       SELECT r."id", r."id"::text, $2, repeat('ab', 20), 'funded', 'bench', now() + interval '1 day', 0, $3,
         $4, $5, 1000, 5, $3, 144, 1024, 1000000, 1048576, 1048576000000, $6,
         r."index", $7, $8, '127.0.0.1', '127.0.0.0/24', 'bench', $9,
         $10, $11, r."txid", r."vout", TRUE, 1, 1, 1000000
       FROM jsonb_to_recordset($1::jsonb) AS r("id" uuid, "txid" text, "vout" int, "index" int)`,
      [
        JSON.stringify(rows),
        nodeId,
        channel.priceSat.toString(),
        channel.lockUnits,
        channel.settlementFeeSat.toString(),
        epoch,
        Buffer.from(channel.sellerPublicKey),
        Buffer.from(channel.sellerKeyHash),
        Buffer.from(channel.buyerPublicKey),
        Buffer.from(channel.buyerKeyHash),
        channel.fundingValueSat.toString(),
      ],
    );
  }
}

function parameters(): ChannelParameters {
  return {
    network: 'regtest',
    priceSat: 100n,
    lockUnits: 20,
    settlementFeeSat: 434n,
    fundingValueSat: VALUE_SAT,
    fundingOutpoint: { txid: randomBytes(32), index: 0 },
    buyerPublicKey: keyOf(BUYER_SECRET),
    sellerPublicKey: keyOf(SELLER_SECRET),
    buyerKeyHash: new Uint8Array(20).fill(3),
    sellerKeyHash: new Uint8Array(20).fill(4),
  };
}

function keyOf(secret: Uint8Array): Uint8Array {
  const key = ecdsa.publicKeyFor(secret);
  if (key === undefined) throw new Error('toy key is no key');
  return key;
}
