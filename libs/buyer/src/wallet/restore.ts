import type { RawTransaction, Outpoint } from '@seedfleet/bitcoin-node';
import { fromHex, p2shScript, redeemScriptOf, toHex } from '@seedfleet/payment-channel';
import { noteOfScript, openNote, outpointBytes, outputScript, type NotedDeposit } from '@seedfleet/wallet';
import type { Reporter } from '../events.js';
import { heightAt } from './chain-time.js';
import type { ContractRecord } from './contract-records.js';
import { ADDRESS_GAP, type CoinKey } from './keys.js';
import { expectAnswer } from './node-link.js';
import type { Wallet } from './wallet.js';

/** Contract keys that are tried beyond the last one seen: an index is used up by every contract that is given up. */
const CHANNEL_GAP = 200;
/** How often to say how far it is. */
const REPORT_EVERY_BLOCKS = 200;
/** Indices passed over after a restore: a contract that no block holds yet may have used them. */
const MARGIN = 20;

export interface RestoreResult {
  readonly blocks: number;
  /** Blocks that the node has no more. */
  readonly unavailable: number;
  readonly contracts: number;
  readonly received: number;
}

/**
 * Finds from the seed alone what the files would say: reads the blocks since a time,
 * notes what came in and went out, and opens the notes of the wallet's own funding transactions, so that deposits can be
 * taken back. Coins are found by the usual scan, whatever their age.
 */
export async function restoreFromChain(
  wallet: Wallet,
  sinceSec: number,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<RestoreResult> {
  await wallet.coins.scan();
  const walk = new RestoreWalk(wallet);
  const { node } = wallet.link;
  const from = await heightAt(wallet.link, sinceSec);
  let unavailable = 0;
  let height = from;
  for (; !signal.aborted; height += 1) {
    const hash = expectAnswer(await node.blockHash(height));
    if (hash === null) break;
    const block = await node.block(hash);
    const blockTimeSec = expectAnswer(await node.header(hash))?.timeSec ?? 0;
    if (!block.ok && block.error.code === 'block-unavailable') unavailable += 1;
    else
      for (const transaction of expectAnswer(block)?.transactions ?? []) walk.take(transaction, height, blockTimeSec);
    if ((height - from) % REPORT_EVERY_BLOCKS === 0) reporter.report({ event: 'restoring', height });
  }
  walk.leaveMargin();
  await wallet.coins.scan();
  await wallet.deposits();
  return { blocks: height - from, unavailable, contracts: walk.contracts, received: walk.received };
}

class RestoreWalk {
  private owners: ReadonlyMap<string, CoinKey>;
  private readonly ours = new Set<string>();
  contracts = 0;
  received = 0;

  constructor(private readonly wallet: Wallet) {
    this.owners = this.watched();
  }

  take(transaction: RawTransaction, height: number, blockTimeSec: number): void {
    const spendsOurs = transaction.inputs.some((input) => this.ours.delete(keyOf(input)));
    for (const [vout, { script, valueSat }] of transaction.outputs.entries()) {
      const owner = this.owners.get(toHex(script));
      if (owner === undefined) continue;
      this.ours.add(`${transaction.txid}:${vout}`);
      if (this.wallet.keys.markUsed(owner.use, owner.index)) this.owners = this.watched();
      if (owner.use === 'receive' && !spendsOurs)
        this.noteReceived(transaction.txid, vout, valueSat, owner.index, height);
    }
    const deposits = this.notedBy(transaction);
    if (deposits !== undefined && !this.wallet.records.has(transaction.txid)) {
      this.keep(transaction, deposits, blockTimeSec);
    }
  }

  /** The next contract gets keys that no transaction still on its way can have. */
  leaveMargin(): void {
    const { keys } = this.wallet;
    keys.markUsed('payout', keys.nextChannel + MARGIN);
  }

  private notedBy({ inputs, outputs }: RawTransaction): readonly NotedDeposit[] | undefined {
    const first = inputs[0];
    if (first === undefined) return undefined;
    for (const { script } of outputs) {
      const note = noteOfScript(script);
      if (note === undefined) continue;
      const outpoint = outpointBytes({ txid: fromHex(first.txid), index: first.vout });
      const deposits = openNote(this.wallet.keys.noteKey, outpoint, note);
      if (deposits !== undefined) return deposits;
    }
    return undefined;
  }

  private keep(transaction: RawTransaction, deposits: readonly NotedDeposit[], blockTimeSec: number): void {
    const { keys, records, link } = this.wallet;
    const outputs = deposits.flatMap(({ sellerPublicKey, lockUnits }, vout): ContractRecord['outputs'] => {
      const output = transaction.outputs[vout];
      const keyIndex = output && this.keyIndexOf(toHex(output.script), sellerPublicKey, lockUnits);
      if (output === undefined || keyIndex === undefined) return [];
      keys.markUsed('payout', keyIndex);
      return [
        {
          vout,
          valueSat: output.valueSat.toString(),
          lockUnits,
          keyIndex,
          buyerPublicKey: toHex(keys.channel(keyIndex).contract.publicKey),
          sellerPublicKey: toHex(sellerPublicKey),
          seller: 'found on the chain',
          priceSat: '0',
          payments: 0,
          state: 'open',
          refundTxid: null,
          refunds: [],
          back: null,
        },
      ];
    });
    if (outputs.length === 0) return;
    this.owners = this.watched();
    this.contracts += 1;
    records.save({
      version: 1,
      txid: transaction.txid,
      // The bytes are on the chain; nobody will have to send them again.
      raw: '00',
      network: link.channelNetwork,
      infoHash: '00'.repeat(20),
      createdAt: new Date(blockTimeSec * 1_000).toISOString(),
      state: 'broadcast',
      feeSat: '0',
      change: null,
      outputs,
    });
  }

  /** The contract key is the one whose script the output pays: the note does not say its index. */
  private keyIndexOf(script: string, sellerPublicKey: Uint8Array, lockUnits: number): number | undefined {
    const { keys } = this.wallet;
    for (let index = 0; index < keys.nextChannel + CHANNEL_GAP; index += 1) {
      const buyerPublicKey = keys.channel(index).contract.publicKey;
      if (toHex(p2shScript(redeemScriptOf({ sellerPublicKey, buyerPublicKey, lockUnits }))) === script) return index;
    }
    return undefined;
  }

  private noteReceived(txid: string, vout: number, valueSat: bigint, index: number, height: number): void {
    this.received += 1;
    const seenAt = new Date().toISOString();
    this.wallet.received.note([{ outpoint: `${txid}:${vout}`, valueSat: valueSat.toString(), index, height, seenAt }]);
  }

  private watched(): ReadonlyMap<string, CoinKey> {
    const keys = this.wallet.keys.coinKeys(ADDRESS_GAP);
    return new Map(keys.map((owner) => [toHex(outputScript(owner.kind, owner.key.keyHash)), owner]));
  }
}

function keyOf({ txid, vout }: Outpoint): string {
  return `${txid}:${vout}`;
}
