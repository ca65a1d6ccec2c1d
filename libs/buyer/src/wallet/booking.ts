import { faultPoint } from '../fault-points.js';
import type { ContractOutput, ContractRecord, ContractRecords } from './contract-records.js';
import type { DepositLooker, DepositState } from './deposit-state.js';
import type { NodeLink } from './node-link.js';

/** One deposit and where it stands. */
export interface BookedDeposit {
  readonly contract: ContractRecord;
  readonly output: ContractOutput;
  readonly state: DepositState;
}

/**
 * Brings the records of all deposits up to date with the chain. A deposit is always one of: spent in pieces, in a
 * settlement, refunded, locked, or never broadcast; what is final is looked up no more.
 */
export async function bookDeposits(
  link: NodeLink,
  records: ContractRecords,
  looker: DepositLooker,
): Promise<BookedDeposit[]> {
  const booked: BookedDeposit[] = [];
  for (const contract of records.all(link.channelNetwork)) {
    for (const output of contract.outputs) {
      const known = finalState(output);
      const state = known ?? (await looker.look(contract, output));
      const updated = known === undefined ? store(records, contract, output, state) : contract;
      booked.push({ contract: updated, output: outputAt(updated, output.vout), state });
    }
  }
  return booked;
}

/** What the record itself says of a deposit that ended in a block. */
function finalState({ state, back, refundTxid }: ContractOutput): DepositState | undefined {
  if (state === 'open') return undefined;
  // Records of earlier versions know no more than that it ended.
  return { kind: state, txid: back?.txid ?? refundTxid ?? '', backSat: BigInt(back?.valueSat ?? '0') };
}

function store(
  records: ContractRecords,
  { txid, state: before }: ContractRecord,
  { vout }: ContractOutput,
  state: DepositState,
): ContractRecord {
  faultPoint('booking.before-store');
  records.mark(txid, contractState(before, state));
  const ended = state.kind === 'settled' || state.kind === 'refunded' ? state : undefined;
  const updated = records.update(txid, vout, (output) =>
    ended === undefined
      ? output
      : { ...output, state: ended.kind, back: { txid: ended.txid, valueSat: ended.backSat.toString() } },
  );
  faultPoint('booking.after-store');
  return updated;
}

/** A deposit that the node has was broadcast, whatever we know of it; one whose coins went elsewhere never will be. */
function contractState(before: ContractRecord['state'], { kind }: DepositState): ContractRecord['state'] {
  if (kind === 'void') return 'void';
  return kind === 'not-broadcast' || kind === 'spent-unseen' ? before : 'broadcast';
}

function outputAt(contract: ContractRecord, vout: number): ContractOutput {
  const output = contract.outputs.find((candidate) => candidate.vout === vout);
  if (output === undefined) throw new Error('a record keeps its outputs');
  return output;
}
