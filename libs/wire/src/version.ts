/** What the handshake's `cc` key says (wire protocol §2.1). */
export type VersionVerdict =
  /** Missing, not a string, or empty: the peer does not speak the paid protocol now. */
  | { readonly kind: 'absent' }
  /** Both halves are numbers and the first one is ours. */
  | { readonly kind: 'compatible'; readonly text: string }
  | { readonly kind: 'refused'; readonly code: VersionErrorCode; readonly text: string };

export type VersionErrorCode =
  /** No dot at all. */
  | 'version-without-dot'
  /** One of the halves does not begin with a number, or one beyond 32 bits. The reference dies of these. */
  | 'version-not-numeric'
  /** A well-formed version of another major. */
  | 'version-mismatch'
  /** Longer than 32 bytes. */
  | 'version-too-long';

const MAJOR = 4;
const MAX_VERSION_CHARS = 32;
const MAX_I32 = 2 ** 31 - 1;

/**
 * Number at the front of the text, read as the reference's C library reads it: leading white space and a sign are
 * taken, whatever follows the digits is ignored, no digits or more than 32 bits is an error.
 */
const leadingInteger = (text: string): number | undefined => {
  const match = /^[ \t\n\v\f\r]*([+-]?[0-9]+)/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const value = Number(match[1]);
  return value >= -MAX_I32 - 1 && value <= MAX_I32 ? value : undefined;
};

/** Judges the text of `cc`: split at the first dot, both halves numbers, the first equal to 4. */
export const judgeVersion = (text: string): VersionVerdict => {
  if (text === '') return { kind: 'absent' };
  const refused = (code: VersionErrorCode): VersionVerdict => ({ kind: 'refused', code, text: text.slice(0, 32) });
  if (text.length > MAX_VERSION_CHARS) return refused('version-too-long');
  const dot = text.indexOf('.');
  if (dot < 0) return refused('version-without-dot');
  const major = leadingInteger(text.slice(0, dot));
  const minor = leadingInteger(text.slice(dot + 1));
  if (major === undefined || minor === undefined) return refused('version-not-numeric');
  return major === MAJOR ? { kind: 'compatible', text } : refused('version-mismatch');
};
