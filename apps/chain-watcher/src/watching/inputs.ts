import { outpointKey, type Outpoint, type RawTransaction } from '@seedfleet/bitcoin-node';
import { MAX_INPUTS_WATCHED } from '../defaults.js';

/** The outpoints of a funding transaction that are watched for other spends, as `txid:vout`. */
export function watchedInputs({ inputs }: Pick<RawTransaction, 'inputs'>): readonly string[] {
  return inputs.slice(0, MAX_INPUTS_WATCHED).map(outpointKey);
}

/** Back from `txid:vout`. */
export function asOutpoint(key: string): Outpoint {
  const [txid = '', vout = ''] = key.split(':');
  return { txid, vout: Number(vout) };
}

/** Highest sequence of an input that says that its transaction may be replaced (BIP 125). */
const HIGHEST_SIGNAL = 0xffff_fffd;

/** Whether a transaction says by itself that it may be replaced; what it inherits from ancestors is not asked. */
export function signalsReplacement({ inputs }: Pick<RawTransaction, 'inputs'>): boolean {
  return inputs.some(({ sequence }) => sequence <= HIGHEST_SIGNAL);
}
