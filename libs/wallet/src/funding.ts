import type { Commitment, Ecdsa, Network, Outpoint, RawTransaction } from '@seedfleet/payment-channel';
import { raw, unsignedContract } from '@seedfleet/payment-channel';
import type { Coin, CoinChoice, CoinChoiceError } from './coins.js';
import { chooseCoins } from './coins.js';
import type { NotedDeposit } from './contract-note.js';
import { noteScript, sealNote } from './contract-note.js';
import { signInputs } from './sign.js';

/** The buyer's funding transaction: one P2SH output per seller in picked order, the note, the change (payment channel §4). */
export interface FundingRequest {
  readonly network: Network;
  readonly coins: readonly Coin[];
  /** `fundingScript` and value of each seller's output; at least one. */
  readonly commitments: readonly Commitment[];
  /** Largest `minContractFeePerKb` of the picked sellers, or more. Satoshi per 1000 virtual bytes. */
  readonly ratePerKbSat: bigint;
  readonly changeScript: Uint8Array;
  /** What an output after the commitments is to say to ourselves; none where undefined. */
  readonly note?: { readonly key: Uint8Array; readonly deposits: readonly NotedDeposit[] };
}

export type FundingResult =
  | {
      readonly ok: true;
      readonly transaction: RawTransaction;
      readonly choice: CoinChoice;
      /** Output index of the change; undefined where there is none. */
      readonly changeVout: number | undefined;
    }
  | { readonly ok: false; readonly error: CoinChoiceError };

/** Chooses coins, builds and signs. Output i belongs to commitment i. Store what a refund needs before broadcasting. */
export function buildFunding(request: FundingRequest, ecdsa: Ecdsa): FundingResult {
  const { network, commitments, changeScript } = request;
  if (commitments.length === 0) throw new RangeError('a funding transaction pays at least one seller');
  // The choice needs the note's size, the note needs the choice's first coin.
  const sized = [...commitments, ...noteOutputs(request, new Uint8Array(OUTPOINT_BYTES))];
  const chosen = chooseCoins(request.coins, sized, changeScript, request.ratePerKbSat);
  if (!chosen.ok) return chosen;
  const { coins, changeSat } = chosen.choice;
  const first = coins[0];
  if (first === undefined) throw new Error('a choice has a coin');
  const outputs = [...commitments, ...noteOutputs(request, outpointBytes(first.outpoint))];
  const transaction = unsignedContract(
    coins.map(({ outpoint }) => outpoint),
    outputs,
    changeSat === undefined ? undefined : { script: changeScript, valueSat: changeSat },
  );
  signInputs(transaction, coins, network, ecdsa);
  const changeVout = changeSat === undefined ? undefined : outputs.length;
  return { ok: true, transaction: raw(transaction), choice: chosen.choice, changeVout };
}

const OUTPOINT_BYTES = 36;

/** An outpoint as notes are bound to it: transaction id in display order, index with the lowest byte first. */
export function outpointBytes({ txid, index }: Outpoint): Uint8Array {
  const bytes = new Uint8Array(OUTPOINT_BYTES);
  bytes.set(txid);
  new DataView(bytes.buffer).setUint32(32, index, true);
  return bytes;
}

function noteOutputs({ note }: FundingRequest, firstOutpoint: Uint8Array): Commitment[] {
  if (note === undefined || note.deposits.length === 0) return [];
  return [{ script: noteScript(sealNote(note.key, firstOutpoint, note.deposits)), valueSat: 0n }];
}
