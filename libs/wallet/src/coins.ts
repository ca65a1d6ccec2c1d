import type { Outpoint } from '@seedfleet/payment-channel';
import { feeSat, toHex } from '@seedfleet/payment-channel';
import type { KeyPair } from './hd.js';
import type { CoinKind } from './outputs.js';
import { dustSat } from './outputs.js';
import { transactionVbytes } from './size.js';

/** An unspent output of the wallet, with the key that spends it. */
export interface Coin {
  readonly outpoint: Outpoint;
  readonly valueSat: bigint;
  readonly kind: CoinKind;
  readonly key: KeyPair;
}

export interface Payment {
  readonly script: Uint8Array;
  readonly valueSat: bigint;
}

export type CoinChoiceError =
  /** All coins together do not reach the outputs and the fee. */
  | { readonly code: 'not-enough-coins'; readonly missingSat: bigint }
  /** It would take more than {@link MAX_INPUTS} coins. */
  | { readonly code: 'too-many-coins' }
  /** An output is too small to be relayed. */
  | { readonly code: 'output-is-dust'; readonly index: number; readonly dustSat: bigint };

export interface CoinChoice {
  readonly coins: readonly Coin[];
  /** Undefined where what is left over is not worth an output; it then goes to the fee. */
  readonly changeSat?: bigint;
  readonly feeSat: bigint;
}

export type CoinChoiceResult =
  { readonly ok: true; readonly choice: CoinChoice } | { readonly ok: false; readonly error: CoinChoiceError };

/** Inputs of one transaction: 600 of P2PKH stay below the relay limit of 100,000 vbytes. */
export const MAX_INPUTS = 600;

/**
 * Chooses coins for these outputs: the smallest single coin that is enough, else the largest coins until they are. The
 * same coins and outputs always give the same choice.
 * @param ratePerKbSat satoshi per 1000 virtual bytes; the fee is rounded up.
 * @param changeScript where what is left over goes.
 */
export function chooseCoins(
  available: readonly Coin[],
  payments: readonly Payment[],
  changeScript: Uint8Array,
  ratePerKbSat: bigint,
): CoinChoiceResult {
  const dusty = payments.findIndex(({ script, valueSat }) => valueSat < dustSat(script));
  const dust = payments[dusty];
  if (dust) return failed({ code: 'output-is-dust', index: dusty, dustSat: dustSat(dust.script) });

  const scripts = payments.map(({ script }) => script);
  const targetSat = payments.reduce((sum, { valueSat }) => sum + valueSat, 0n);
  const shortSat = (coins: readonly Coin[]): bigint =>
    targetSat + feeSat(transactionVbytes(kinds(coins), scripts), ratePerKbSat) - sumSat(coins);

  const descending = [...available].sort(byValueThenName).reverse();
  const single = [...descending].reverse().find((coin) => shortSat([coin]) <= 0n);
  const coins: Coin[] = single ? [single] : [];
  if (!single) {
    for (const coin of descending) {
      if (coins.length > 0 && shortSat(coins) <= 0n) break;
      if (coins.length === MAX_INPUTS) return failed({ code: 'too-many-coins' });
      coins.push(coin);
    }
  }
  const missingSat = shortSat(coins);
  if (coins.length === 0 || missingSat > 0n) return failed({ code: 'not-enough-coins', missingSat });
  return { ok: true, choice: withChange(coins, targetSat, scripts, changeScript, ratePerKbSat) };
}

export function sumSat(coins: readonly { readonly valueSat: bigint }[]): bigint {
  return coins.reduce((sum, { valueSat }) => sum + valueSat, 0n);
}

function withChange(
  coins: readonly Coin[],
  targetSat: bigint,
  scripts: readonly Uint8Array[],
  changeScript: Uint8Array,
  ratePerKbSat: bigint,
): CoinChoice {
  const restSat = sumSat(coins) - targetSat;
  const feeWithChange = feeSat(transactionVbytes(kinds(coins), [...scripts, changeScript]), ratePerKbSat);
  const changeSat = restSat - feeWithChange;
  return changeSat >= dustSat(changeScript) ? { coins, changeSat, feeSat: feeWithChange } : { coins, feeSat: restSat };
}

function kinds(coins: readonly Coin[]): CoinKind[] {
  return coins.map(({ kind }) => kind);
}

function byValueThenName(a: Coin, b: Coin): number {
  if (a.valueSat !== b.valueSat) return a.valueSat < b.valueSat ? -1 : 1;
  const [nameA, nameB] = [outpointName(a), outpointName(b)];
  return nameA < nameB ? -1 : nameA > nameB ? 1 : 0;
}

function outpointName({ outpoint }: Coin): string {
  return `${toHex(outpoint.txid)}:${outpoint.index}`;
}

function failed(error: CoinChoiceError): CoinChoiceResult {
  return { ok: false, error };
}
