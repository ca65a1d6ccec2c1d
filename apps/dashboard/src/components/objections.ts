/** Why default buyers refuse an offer, in words; codes that are not known here are shown as they are. */
const WORDS: Readonly<Record<string, string>> = {
  'price-above-formula': 'dearer than their formula allows',
  'lock-too-long': 'deposits would be locked for too long',
  'contract-fee-too-high': 'the funding transaction would cost too much',
  'hidden-by-clients': 'so many so small pieces: they hide it from paid download',
};

export function objectionWords(codes: readonly string[]): string {
  return codes.map((code) => WORDS[code] ?? code).join('; ');
}
