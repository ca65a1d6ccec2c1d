import { isHeldByNode } from '@seedfleet/bitcoin-node';
import { bestEcdsa, toHex } from '@seedfleet/payment-channel';
import { buildFunding, buildSweep, outputScript, scriptOfAddress, sumSat } from '@seedfleet/wallet';
import { BuyerError, ExitCode } from '../failure.js';
import { faultPoint } from '../fault-points.js';
import { estimatedRate } from './fees.js';
import { expectAnswer } from './node-link.js';
import type { SendRecord } from './send-records.js';
import type { Wallet } from './wallet.js';

export interface SendOrder {
  readonly address: string;
  /** Satoshi, or everything that is spendable, less the fee. */
  readonly amountSat: bigint | 'all';
  /** Satoshi per 1,000 virtual bytes; the node's estimate for `targetBlocks` where absent. */
  readonly ratePerKbSat?: bigint | undefined;
  /** Default 6, about an hour. */
  readonly targetBlocks?: number | undefined;
}

/** More than this is a slip of the finger: 1,000 sat/vB. */
const HIGHEST_RATE_PER_KB_SAT = 1_000_000n;

/** Pays somebody out of the wallet. The transaction is on disk before it is broadcast. */
export async function send(wallet: Wallet, order: SendOrder): Promise<SendRecord> {
  const { link, sends } = wallet;
  const script = scriptOfAddress(order.address, link.walletNetwork);
  if (script === undefined) {
    throw new BuyerError(ExitCode.usage, 'address-invalid', `${order.address} is no address of ${link.walletNetwork}`);
  }
  const ratePerKbSat = order.ratePerKbSat ?? (await estimatedRate(link, order.targetBlocks ?? 6));
  if (ratePerKbSat > HIGHEST_RATE_PER_KB_SAT) {
    throw new BuyerError(ExitCode.usage, 'fee-rate-too-high', `${ratePerKbSat} sat per 1,000 vB is surely a mistake`);
  }
  await wallet.coins.scan();
  const signed =
    order.amountSat === 'all'
      ? await sweep(wallet, script, ratePerKbSat)
      : await pay(wallet, script, order.amountSat, ratePerKbSat);
  const record: SendRecord = {
    version: 1,
    network: link.walletNetwork,
    createdAt: new Date().toISOString(),
    state: 'stored',
    address: order.address,
    ...signed,
  };
  faultPoint('send.before-store');
  sends.save(record);
  faultPoint('send.after-store');
  const outcome = expectAnswer(await link.node.broadcast(record.raw));
  faultPoint('send.after-broadcast');
  if (!isHeldByNode(outcome.code)) {
    // Refused by the node that would have to pass it on: it is not to be tried again behind the user's back.
    sends.save({ ...record, state: 'void' });
    throw new BuyerError(ExitCode.coins, outcome.code, `the node refuses the payment: ${outcome.reason}`);
  }
  const sent: SendRecord = { ...record, state: 'broadcast' };
  sends.save(sent);
  return sent;
}

type Signed = Pick<SendRecord, 'txid' | 'raw' | 'amountSat' | 'feeSat' | 'change'>;

async function pay(
  { link, keys, coins }: Wallet,
  script: Uint8Array,
  amountSat: bigint,
  ratePerKbSat: bigint,
): Promise<Signed> {
  const available = await coins.spendable();
  const index = keys.takeChangeIndex();
  const changeScript = outputScript(keys.account.kind, keys.walletKey('change', index).keyHash);
  const commitments = [{ script, valueSat: amountSat }];
  const network = link.walletNetwork;
  const built = buildFunding({ network, coins: available, commitments, ratePerKbSat, changeScript }, bestEcdsa());
  if (!built.ok) {
    const message =
      built.error.code === 'not-enough-coins'
        ? `${sumSat(available)} sat are spendable; ${built.error.missingSat} more are needed`
        : built.error.code;
    throw new BuyerError(ExitCode.coins, built.error.code, message);
  }
  const { transaction, choice, changeVout } = built;
  return {
    txid: transaction.txid,
    raw: toHex(transaction.bytes),
    amountSat: amountSat.toString(),
    feeSat: choice.feeSat.toString(),
    change:
      changeVout === undefined ? null : { vout: changeVout, index, valueSat: (choice.changeSat ?? 0n).toString() },
  };
}

async function sweep({ link, coins }: Wallet, script: Uint8Array, ratePerKbSat: bigint): Promise<Signed> {
  const built = buildSweep(link.walletNetwork, await coins.spendable(), script, ratePerKbSat, bestEcdsa());
  if (!built.ok) throw new BuyerError(ExitCode.coins, built.error.code, `nothing can be sent: ${built.error.code}`);
  return {
    txid: built.transaction.txid,
    raw: toHex(built.transaction.bytes),
    amountSat: built.valueSat.toString(),
    feeSat: built.feeSat.toString(),
    change: null,
  };
}
