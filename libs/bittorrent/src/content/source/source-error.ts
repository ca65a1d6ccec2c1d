export type SourceErrorCode =
  /** No HTTP(S) address, or one that carries a user or a fragment. */
  | 'address-invalid'
  /** The name, or a redirect, leads to an address that must not be called. */
  | 'address-refused'
  /** More redirects than are followed, or one that leaves TLS. */
  | 'redirect-refused'
  /** The name has no address. */
  | 'name-unknown'
  /** No connection; TLS that does not verify counts here. */
  | 'unreachable'
  /** No answer, no bytes for too long, or too few. */
  | 'too-slow'
  /** The connection ended before the bytes were there. */
  | 'cut-off'
  /** The server has no such file, or its link has run out: 4xx. */
  | 'source-refused'
  /** The server can't now: 429, 5xx. */
  | 'source-busy'
  /** The file is not as long as the torrent says, or other bytes came than were asked for. */
  | 'source-differs'
  /** A piece is not the torrent's. */
  | 'source-corrupt';

/** Why content could not be had from an address. Never holds the whole address: it may be a signed link. */
export interface SourceError {
  readonly code: SourceErrorCode;
  /** What was answered or expected, for people. */
  readonly detail: string;
  /** The piece it was about, where one is known. */
  readonly piece?: number;
}

const LASTING: ReadonlySet<string> = new Set<SourceErrorCode>([
  'address-invalid',
  'address-refused',
  'redirect-refused',
  'source-refused',
  'source-differs',
  'source-corrupt',
]);

/** Asking again soon would give the same: somebody has to change something. */
export function isLasting({ code }: { readonly code: string }): boolean {
  return LASTING.has(code);
}
