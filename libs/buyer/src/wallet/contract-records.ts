import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORKS, type Network } from '@seedfleet/payment-channel';
import { z } from 'zod';
import { BuyerError, ExitCode } from '../failure.js';
import { readIfThere, writeDurably } from './durable-file.js';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const sat = z.string().regex(/^\d{1,16}$/);

/** A refund as it was signed; several where a later one pays a higher fee. */
const refundAttempt = z.object({
  txid: hex(32),
  raw: z.string().regex(/^([0-9a-f]{2})+$/),
  valueSat: sat,
  feeSat: sat,
  ratePerKbSat: sat,
});

/** Everything a refund needs besides the seed, and the funding transaction itself. Stored before it is broadcast. */
const contractRecord = z.object({
  version: z.literal(1),
  txid: hex(32),
  /** The signed funding transaction. */
  raw: z.string().regex(/^([0-9a-f]{2})+$/),
  /** Signing rule of the channels. */
  network: z.enum(NETWORKS),
  /** Zeros where the contract was found on the chain by a restore. */
  infoHash: hex(20),
  createdAt: z.iso.datetime(),
  /** stored: not known to be broadcast. broadcast: a node took it. void: another transaction took its coins. */
  state: z.enum(['stored', 'broadcast', 'void']),
  feeSat: sat.default('0'),
  /** HD index of the change output's key; null without change. */
  change: z.object({ vout: z.int().min(0), index: z.int().min(0), valueSat: sat }).nullable(),
  outputs: z.array(
    z.object({
      vout: z.int().min(0),
      valueSat: sat,
      lockUnits: z.int().min(0),
      /** HD index of the contract key and of the key that the settlement's change goes to. */
      keyIndex: z.int().min(0),
      buyerPublicKey: hex(33),
      sellerPublicKey: hex(33),
      seller: z.string(),
      priceSat: sat.default('0'),
      payments: z.int().min(0),
      /** open: unspent as far as known. settled, refunded: spent in a block. */
      state: z.enum(['open', 'settled', 'refunded']),
      refundTxid: hex(32).nullable(),
      /** Refunds signed so far, oldest first. */
      refunds: z.array(refundAttempt).default([]),
      /** What came back: a settlement's change, or the refund. */
      back: z
        .object({ txid: hex(32), valueSat: sat })
        .nullable()
        .default(null),
    }),
  ),
});

export type ContractRecord = z.infer<typeof contractRecord>;
export type ContractOutput = ContractRecord['outputs'][number];
export type RefundAttempt = ContractOutput['refunds'][number];

/** The wallet's contracts, one file each, named by the funding transaction. */
export class ContractRecords {
  private readonly folder: string;

  constructor(walletDir: string) {
    this.folder = join(walletDir, 'contracts');
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  /** Durable once this returns. */
  save(record: ContractRecord): void {
    writeDurably(this.path(record.txid), `${JSON.stringify(record, null, 2)}\n`);
  }

  /**
   * Changes one output of a contract as it stands on disk: whoever looked at another output, or at an older state, has
   * nothing to overwrite it with. Durable once this returns.
   */
  update(txid: string, vout: number, change: (output: ContractOutput) => ContractOutput): ContractRecord {
    const record = this.read(this.path(txid));
    const outputs = record.outputs.map((output) => (output.vout === vout ? change(output) : output));
    const changed = { ...record, outputs };
    if (JSON.stringify(changed) !== JSON.stringify(record)) this.save(changed);
    return changed;
  }

  /** What became of the funding transaction. Durable once this returns. */
  mark(txid: string, state: ContractRecord['state']): void {
    const record = this.read(this.path(txid));
    if (record.state !== state) this.save({ ...record, state });
  }

  /** All contracts, or those of one chain. A damaged file is named in the error and never skipped: money depends on it. */
  all(chainOf?: Network): ContractRecord[] {
    const names = readdirSync(this.folder).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
    const records = names.map((name) => this.read(join(this.folder, name)));
    return chainOf === undefined ? records : records.filter(({ network }) => sameChain(network, chainOf));
  }

  has(txid: string): boolean {
    return readIfThere(this.path(txid)) !== undefined;
  }

  private read(path: string): ContractRecord {
    try {
      return contractRecord.parse(JSON.parse(readIfThere(path) ?? ''));
    } catch (failure) {
      const cause = failure instanceof Error ? failure.message : String(failure);
      throw new BuyerError(ExitCode.failed, 'contract-file-damaged', `${path} can't be read: ${cause}`);
    }
  }

  private path(txid: string): string {
    return join(this.folder, `${txid}.json`);
  }
}

/** On regtest one node may carry channels of either signing rule; elsewhere the twins are different chains. */
function sameChain(a: Network, b: Network): boolean {
  return a === b || (a.startsWith('regtest') && b.startsWith('regtest'));
}
