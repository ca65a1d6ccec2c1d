import { isDictionary, type BencodeValue } from './bencode.js';
import { MESSAGE_KEY_PREFIX, type MessageIds } from './message-ids.js';
import { MESSAGE_NAMES, type MessageName } from './messages.js';

/** Why an `m` dictionary is no mapping (wire protocol §3, hazard H37). The peer is a plain BitTorrent peer then. */
export type MappingErrorCode =
  /** `m` is missing or not a dictionary. */
  | 'mapping-missing'
  /** At least one of the eleven names is missing. */
  | 'mapping-incomplete'
  /** An id is not an integer. */
  | 'mapping-id-not-integer'
  | 'mapping-id-negative'
  /** An id above 255, which the reference would cut down to 8 bits. */
  | 'mapping-id-beyond-byte'
  /** Some ids, but not all, are zero. */
  | 'mapping-partly-zero'
  /** Two messages have the same id, which makes them indistinguishable. */
  | 'mapping-id-repeated';

export type MappingVerdict =
  | { readonly kind: 'usable'; readonly ids: MessageIds }
  /** All eleven ids are zero. */
  | { readonly kind: 'uninstall' }
  | { readonly kind: 'invalid'; readonly code: MappingErrorCode; readonly name?: MessageName };

const invalid = (code: MappingErrorCode, name?: MessageName): MappingVerdict =>
  name === undefined ? { kind: 'invalid', code } : { kind: 'invalid', code, name };

/**
 * Judges the `m` dictionary: eleven exact `js_` names with distinct ids of 1–255, or all zero. Stricter than the
 * reference, which neither compares the prefix nor notices repeated or overlong ids (hazard H37).
 */
export const judgeMapping = (m: BencodeValue | undefined): MappingVerdict => {
  if (!isDictionary(m)) return invalid('mapping-missing');
  const ids: Partial<Record<MessageName, number>> = {};
  const taken = new Set<number>();
  let zeros = 0;
  for (const name of MESSAGE_NAMES) {
    const id = m.get(MESSAGE_KEY_PREFIX + name);
    if (id === undefined) return invalid('mapping-incomplete', name);
    if (typeof id !== 'bigint') return invalid('mapping-id-not-integer', name);
    if (id < 0n) return invalid('mapping-id-negative', name);
    if (id > 255n) return invalid('mapping-id-beyond-byte', name);
    if (id === 0n) zeros += 1;
    ids[name] = Number(id);
    taken.add(Number(id));
  }
  if (zeros === MESSAGE_NAMES.length) return { kind: 'uninstall' };
  if (zeros > 0) return invalid('mapping-partly-zero');
  if (taken.size < MESSAGE_NAMES.length) return invalid('mapping-id-repeated');
  return { kind: 'usable', ids: ids as MessageIds };
};
