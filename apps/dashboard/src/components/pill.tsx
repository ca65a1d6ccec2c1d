import { words } from '../format';

type Tone = 'good' | 'busy' | 'quiet' | 'bad';

/** What an operator should feel about a state; a state that is not listed is quiet. */
const TONES: Readonly<Record<string, Tone>> = {
  'on-sale': 'good',
  up: 'good',
  funded: 'good',
  settled: 'good',
  buried: 'good',
  active: 'good',
  delivered: 'good',
  done: 'good',
  mined: 'good',
  hashing: 'busy',
  adding: 'busy',
  pending: 'busy',
  fetching: 'busy',
  verifying: 'busy',
  waiting: 'busy',
  joined: 'busy',
  'funding-seen': 'busy',
  closing: 'busy',
  settling: 'busy',
  draining: 'busy',
  missing: 'bad',
  corrupt: 'bad',
  failed: 'bad',
  declined: 'bad',
  silent: 'bad',
  'given-up': 'bad',
  critical: 'bad',
  warning: 'busy',
  lost: 'bad',
  refused: 'bad',
  'refund-seen': 'bad',
  'settle-rejected': 'bad',
  'funding-missing': 'bad',
};

/** A state, told by word and by colour. */
export function Pill({ state }: { readonly state: string }) {
  return <span className={`pill ${TONES[state] ?? 'quiet'}`}>{words(state)}</span>;
}
