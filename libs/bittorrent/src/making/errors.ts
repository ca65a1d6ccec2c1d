/** Why a file or folder can't be made into a torrent. */
export type MakingErrorCode =
  /** There is nothing at the path. */
  | 'content-missing'
  /** It may not be read, or reading failed; the detail is the system's code. */
  | 'content-unreadable'
  /** A symbolic link: it would let a folder name files outside itself. */
  | 'content-symlink'
  /** A device, socket or pipe. */
  | 'content-special'
  /** A name that no torrent may carry: not UTF-8, overlong, with control characters or a backslash. */
  | 'content-name-unsafe'
  /** No bytes at all. */
  | 'content-empty'
  /** More files than the limit. */
  | 'content-too-many-files'
  /** More bytes than the limit, or more pieces than a .torrent file may list. */
  | 'content-too-large'
  /** It was written to meanwhile. */
  | 'content-changed'
  /** The thread that hashed it died. */
  | 'making-failed'
  /** It was called off. */
  | 'aborted';

export interface MakingError {
  readonly code: MakingErrorCode;
  /** Which path below the content, or which number with its limit. */
  readonly detail: string;
}

/** The error of a failed call of the file system. */
export function fileError(thrown: unknown, path: string): MakingError {
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code ?? String(thrown);
  if (code === 'ENOENT') return { code: 'content-missing', detail: path };
  // What O_NOFOLLOW answers to a link.
  if (code === 'ELOOP') return { code: 'content-symlink', detail: path };
  return { code: 'content-unreadable', detail: `${path}: ${code}` };
}
