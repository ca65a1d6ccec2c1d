import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORKS } from '@seedfleet/payment-channel';
import { z } from 'zod';
import { BuyerError, ExitCode } from '../failure.js';
import { readIfThere, writeDurably } from './durable-file.js';

const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`));
const sat = z.string().regex(/^\d{1,16}$/);

/** Everything a refund needs besides the seed, and the funding transaction itself. Stored before it is broadcast. */
const contractRecord = z.object({
  version: z.literal(1),
  txid: hex(32),
  /** The signed funding transaction. */
  raw: z.string().regex(/^([0-9a-f]{2})+$/),
  /** Signing rule of the channels. */
  network: z.enum(NETWORKS),
  infoHash: hex(20),
  createdAt: z.iso.datetime(),
  /** stored: not known to be broadcast. broadcast: a node took it. */
  state: z.enum(['stored', 'broadcast']),
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
      payments: z.int().min(0),
      /** open: unspent as far as known. settled, refunded: spent. lost: refund refused by the node. */
      state: z.enum(['open', 'settled', 'refunded']),
      refundTxid: hex(32).nullable(),
    }),
  ),
});

export type ContractRecord = z.infer<typeof contractRecord>;
export type ContractOutput = ContractRecord['outputs'][number];

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

  /** All contracts. A damaged file is named in the error and never skipped: money may depend on it. */
  all(): ContractRecord[] {
    const names = readdirSync(this.folder).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
    return names.map((name) => {
      const path = join(this.folder, name);
      try {
        return contractRecord.parse(JSON.parse(readIfThere(path) ?? ''));
      } catch (failure) {
        const cause = failure instanceof Error ? failure.message : String(failure);
        throw new BuyerError(ExitCode.failed, 'contract-file-damaged', `${path} can't be read: ${cause}`);
      }
    });
  }

  private path(txid: string): string {
    return join(this.folder, `${txid}.json`);
  }
}
