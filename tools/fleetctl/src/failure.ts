/** Why a command did not do what was asked. */
export type FailureCode =
  /** The command line makes no sense. Exit code 2. */
  | 'usage'
  /** No fleet runs in the state folder, or its run.json can't be read. */
  | 'fleet-not-running'
  /** A file of the caller can't be read. */
  | 'file-unreadable'
  /** A file can't be written. */
  | 'file-unwritable'
  /** The API does not answer. */
  | 'api-unreachable'
  /** The API refused; `apiCode` is the code of its problem document. */
  | 'api-refused'
  /** The API answered something this tool does not understand. */
  | 'api-answer-unknown'
  /** A torrent could not be made of a file or folder. */
  | 'not-made'
  /** The torrent does not come on sale. */
  | 'not-on-sale';

/** A failure to report to the caller, with words for people and a code for programs. */
export class Failure extends Error {
  constructor(
    readonly code: FailureCode,
    message: string,
    /** The code of the API's problem document, where it refused. */
    readonly apiCode?: string,
  ) {
    super(message);
  }

  get exitCode(): number {
    return this.code === 'usage' ? 2 : 1;
  }
}
