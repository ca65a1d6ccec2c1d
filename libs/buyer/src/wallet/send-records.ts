import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORKS, type Network } from '@seedfleet/payment-channel';
import { z } from 'zod';
import { BuyerError, ExitCode } from '../failure.js';
import { readIfThere, writeDurably } from './durable-file.js';

const sat = z.string().regex(/^\d{1,16}$/);

/** A payment out of the wallet, stored before it is broadcast. */
const sendRecord = z.object({
  version: z.literal(1),
  txid: z.string().regex(/^[0-9a-f]{64}$/),
  raw: z.string().regex(/^([0-9a-f]{2})+$/),
  network: z.enum(NETWORKS),
  createdAt: z.iso.datetime(),
  /** stored: not known to be broadcast. void: another transaction took its coins. */
  state: z.enum(['stored', 'broadcast', 'void']),
  address: z.string(),
  amountSat: sat,
  feeSat: sat,
  change: z.object({ vout: z.int().min(0), index: z.int().min(0), valueSat: sat }).nullable(),
});

export type SendRecord = z.infer<typeof sendRecord>;

/** The wallet's outgoing payments, one file each. */
export class SendRecords {
  private readonly folder: string;

  constructor(walletDir: string) {
    this.folder = join(walletDir, 'sends');
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  /** Durable once this returns. */
  save(record: SendRecord): void {
    writeDurably(join(this.folder, `${record.txid}.json`), `${JSON.stringify(record, null, 2)}\n`);
  }

  all(network: Network): SendRecord[] {
    const names = readdirSync(this.folder).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
    return names.map((name) => this.read(join(this.folder, name))).filter((record) => record.network === network);
  }

  private read(path: string): SendRecord {
    try {
      return sendRecord.parse(JSON.parse(readIfThere(path) ?? ''));
    } catch (failure) {
      const cause = failure instanceof Error ? failure.message : String(failure);
      throw new BuyerError(ExitCode.failed, 'send-file-damaged', `${path} can't be read: ${cause}`);
    }
  }
}
