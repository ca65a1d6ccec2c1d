export type ContentErrorCode =
  /** The given path does not exist. */
  | 'content-missing'
  /** A file that the torrent names does not exist. */
  | 'file-missing'
  /** A file is shorter than the torrent says. */
  | 'file-short'
  /** A file on disk is longer than the torrent says; a download does not overwrite it. */
  | 'file-longer'
  /** Something that is not a regular file stands where a file should be, or a file where a folder should be. */
  | 'not-a-file'
  /** The system does not let this process read or write it. */
  | 'permission-denied'
  /** The disk could not deliver the bytes. */
  | 'read-failed'
  /** The bytes are there, but their SHA-1 is not the torrent's. */
  | 'piece-corrupt'
  /** No room left on the disk, or a quota is reached. */
  | 'disk-full'
  /** The disk did not take the bytes for another reason. */
  | 'write-failed'
  /** Too many reads are waiting for memory. */
  | 'busy'
  /** The caller gave up, or the store was closed. */
  | 'aborted';

export interface ContentError {
  readonly code: ContentErrorCode;
  /** The path on disk it was about, where one is known. */
  readonly path?: string;
  /** The piece it was about, where one is known. */
  readonly piece?: number;
  /** The system's own code or what was expected, for people. */
  readonly detail?: string;
}

/** Gives a file system error its code. `otherwise` is used for causes that have no code of their own. */
export function contentErrorFrom(
  error: unknown,
  otherwise: 'read-failed' | 'write-failed',
  path: string,
): ContentError {
  const systemCode = systemCodeOf(error);
  return { code: CODES[systemCode] ?? otherwise, path, detail: systemCode };
}

const CODES: Readonly<Record<string, ContentErrorCode>> = {
  ENOENT: 'file-missing',
  ENOTDIR: 'not-a-file',
  EISDIR: 'not-a-file',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
  EROFS: 'permission-denied',
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
};

function systemCodeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}
