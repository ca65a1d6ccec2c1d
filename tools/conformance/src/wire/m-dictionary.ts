import { concatBytes } from '@seedfleet/payment-channel';
import { MESSAGE_NAMES, readExtendedHandshake } from '@seedfleet/wire';
import { Differences } from '../compare.js';
import type { Fields } from '../input/fields.js';
import type { Report } from '../report.js';
import { findRule, mappingRules, type MappingFacts } from '../rules.js';

const RULES = mappingRules(MESSAGE_NAMES);

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** `mDictionary[]`: accepted when it is a usable mapping; an uninstall counts as refused, as in the vectors. */
export const runMDictionary = (content: Fields, report: Report, file: string): void => {
  content.list('mDictionary').forEach((vector, at) => {
    const name = `${file} mDictionary[${at}] ${vector.textOr('description', '')}`;
    report.run(name, () => compareMapping(vector, report));
  });
};

const compareMapping = (vector: Fields, report: Report): readonly string[] => {
  const handshake = readExtendedHandshake(concatBytes(latin1('d2:cc3:4.01:m'), latin1(vector.text('m')), latin1('e')));
  const extension = handshake.ok ? handshake.extension : undefined;
  const diff = new Differences();
  const verdict = extension?.kind === 'install' ? 'accepts' : 'throws';
  if (!diff.same('verdict', vector.text('verdict'), verdict)) {
    const rule = verdict === 'throws' ? findRule(RULES, factsOf(handshake)) : undefined;
    if (rule === undefined) return diff.found;
    report.useRule(rule.id);
    return [];
  }
  if (extension?.kind !== 'install' || !vector.has('ids')) return diff.found;
  const ids = vector.fields('ids');
  for (const name of MESSAGE_NAMES) diff.same(`id of ${name}`, ids.number(name), extension.ids[name]);
  return diff.found;
};

const factsOf = (handshake: ReturnType<typeof readExtendedHandshake>): MappingFacts => {
  if (!handshake.ok) return { m: undefined, bencodeError: handshake.code };
  const m = handshake.dictionary.get('m');
  return { m: m instanceof Map ? (m as MappingFacts['m']) : undefined, bencodeError: undefined };
};
