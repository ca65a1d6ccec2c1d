import type { Commitment, Ecdsa, Network, RawTransaction } from '@seedfleet/payment-channel';
import { raw, unsignedContract } from '@seedfleet/payment-channel';
import type { Coin, CoinChoice, CoinChoiceError } from './coins.js';
import { chooseCoins } from './coins.js';
import { signInputs } from './sign.js';

/** The buyer's funding transaction: one P2SH output per seller in picked order, then change (payment channel §4). */
export interface FundingRequest {
  readonly network: Network;
  readonly coins: readonly Coin[];
  /** `fundingScript` and value of each seller's output; at least one. */
  readonly commitments: readonly Commitment[];
  /** Largest `minContractFeePerKb` of the picked sellers, or more. Satoshi per 1000 virtual bytes. */
  readonly ratePerKbSat: bigint;
  readonly changeScript: Uint8Array;
}

export type FundingResult =
  | { readonly ok: true; readonly transaction: RawTransaction; readonly choice: CoinChoice }
  | { readonly ok: false; readonly error: CoinChoiceError };

/** Chooses coins, builds and signs. Output i belongs to commitment i. Store what a refund needs before broadcasting. */
export function buildFunding(request: FundingRequest, ecdsa: Ecdsa): FundingResult {
  const { network, commitments, changeScript } = request;
  if (commitments.length === 0) throw new RangeError('a funding transaction pays at least one seller');
  const chosen = chooseCoins(request.coins, commitments, changeScript, request.ratePerKbSat);
  if (!chosen.ok) return chosen;
  const { coins, changeSat } = chosen.choice;
  const transaction = unsignedContract(
    coins.map(({ outpoint }) => outpoint),
    commitments,
    changeSat === undefined ? undefined : { script: changeScript, valueSat: changeSat },
  );
  signInputs(transaction, coins, network, ecdsa);
  return { ok: true, transaction: raw(transaction), choice: chosen.choice };
}
