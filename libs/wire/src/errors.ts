import type { MessageName } from './messages.js';

/** Why a payload is no message (wire protocol §7). All of them mean: close the connection. */
export type WireErrorCode =
  /** The extended id is none of 60–70. */
  | 'unknown-message-id'
  /** The payload ends before or within the named field of fixed size. */
  | 'field-truncated'
  /** A piece or speed-test blob declares more bytes than the payload holds. */
  | 'blob-beyond-payload'
  /** A signature declares more than 73 bytes. */
  | 'signature-too-long'
  /** A signature declares more bytes than the payload holds. */
  | 'signature-beyond-payload'
  /** A public key does not begin with 02 or 03. */
  | 'public-key-prefix'
  /** A public key has a good prefix and its X is no point of the curve (or not below the field's prime). */
  | 'public-key-off-curve';

/** A malformed payload: the code, and what a log needs to tell one cause from another. */
export interface WireError {
  readonly ok: false;
  readonly code: WireErrorCode;
  /** Absent when the id names no message. */
  readonly message?: MessageName;
  /** The first field that could not be read. */
  readonly field?: string;
  /** Bytes of payload that the field would have needed, counted from the payload's start. */
  readonly neededBytes?: number;
  readonly presentBytes: number;
}
