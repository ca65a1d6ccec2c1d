import {
  isDictionary,
  latin1,
  readBencode,
  writeBencode,
  type BencodeDictionary,
  type BencodeErrorCode,
  type BencodeInput,
} from './bencode.js';
import { judgeMapping, type MappingErrorCode } from './mapping.js';
import { MESSAGE_ID, MESSAGE_KEY_PREFIX, PROTOCOL_VERSION, type MessageIds } from './message-ids.js';
import { MESSAGE_NAMES, type MessageName } from './messages.js';
import { judgeVersion, type VersionErrorCode } from './version.js';

/** Largest extended handshake we read (wire protocol §8). */
export const MAX_EXTENDED_HANDSHAKE_BYTES = 65_536;

/** Longest client name kept, in bytes; real ones are about 20. */
const MAX_CLIENT_BYTES = 128;

/**
 * What one extended handshake says about the paid protocol, by itself; what it means depends on what was announced on
 * the connection before (wire protocol §3).
 */
export type ExtensionVerdict =
  /** `cc` compatible and a full mapping: the peer can be spoken to with these ids. */
  | { readonly kind: 'install'; readonly ids: MessageIds }
  /** `cc` compatible and all eleven ids zero. */
  | { readonly kind: 'uninstall' }
  /** No `cc`: a plain BitTorrent peer, or a reference client whose session is stopped. */
  | { readonly kind: 'none' }
  /** Announced, but not usable: a plain peer as far as we are concerned. */
  | {
      readonly kind: 'invalid';
      readonly code: VersionErrorCode | MappingErrorCode;
      /** The first message whose id was wrong, where one was. */
      readonly name?: MessageName;
    };

/** Why a body is no extended handshake. libtorrent ignores such silently (wire protocol §3 row 1). */
export type HandshakeErrorCode = BencodeErrorCode | 'handshake-too-large' | 'handshake-not-a-dictionary';

export type ExtendedHandshake =
  | {
      readonly ok: true;
      readonly extension: ExtensionVerdict;
      /** `v`, at most 128 bytes, latin-1; absent when the peer does not say. */
      readonly client?: string;
      /** `reqq`, requests the peer keeps open, when it is an integer of 0–2^31-1. */
      readonly requestQueue?: number;
      /** Everything that was announced; strings are views into the body. */
      readonly dictionary: BencodeDictionary;
    }
  | { readonly ok: false; readonly code: HandshakeErrorCode };

const judgeExtension = (dictionary: BencodeDictionary): ExtensionVerdict => {
  const cc = dictionary.get('cc');
  const version = cc instanceof Uint8Array ? judgeVersion(latin1(cc.subarray(0, 256))) : ({ kind: 'absent' } as const);
  if (version.kind === 'absent') return { kind: 'none' };
  if (version.kind === 'refused') return { kind: 'invalid', code: version.code };
  const mapping = judgeMapping(dictionary.get('m'));
  return mapping.kind === 'usable' ? { kind: 'install', ids: mapping.ids } : mapping;
};

/** Reads the body of an extended handshake (extended id 0). Never throws; bodies above 64 KiB are not looked at. */
export const readExtendedHandshake = (body: Uint8Array): ExtendedHandshake => {
  if (body.length > MAX_EXTENDED_HANDSHAKE_BYTES) return { ok: false, code: 'handshake-too-large' };
  const read = readBencode(body);
  if (!read.ok) return read;
  if (!isDictionary(read.value)) return { ok: false, code: 'handshake-not-a-dictionary' };
  const dictionary = read.value;
  const v = dictionary.get('v');
  const reqq = dictionary.get('reqq');
  return {
    ok: true,
    extension: judgeExtension(dictionary),
    ...(v instanceof Uint8Array ? { client: latin1(v.subarray(0, MAX_CLIENT_BYTES)) } : {}),
    ...(typeof reqq === 'bigint' && reqq >= 0n && reqq < 2n ** 31n ? { requestQueue: Number(reqq) } : {}),
    dictionary,
  };
};

export interface ExtendedHandshakeOptions {
  /** `install` announces ids 60–70, `uninstall` all zero. */
  readonly kind: 'install' | 'uninstall';
  /** Further top-level keys, such as `v`, `p`, `reqq`. Unknown ones are harmless to reference clients (§2). */
  readonly topLevel?: Readonly<Record<string, BencodeInput>>;
  /** Further entries of `m`, such as `ut_metadata`: 0 (withdrawn) to 255, but none of 60–70. */
  readonly foreignIds?: Readonly<Record<string, number>>;
}

/**
 * Body of our extended handshake, keys sorted (wire protocol §2, §9).
 *
 * @throws RangeError when an addition would overwrite `cc`, `m` or a `js_` name, or claims one of our ids.
 */
export const encodeExtendedHandshake = (options: ExtendedHandshakeOptions): Uint8Array => {
  const { kind, topLevel = {}, foreignIds = {} } = options;
  if ('cc' in topLevel || 'm' in topLevel) throw new RangeError('cc and m of the handshake are not for the caller');
  const ours = new Set(Object.values(MESSAGE_ID));
  for (const [name, id] of Object.entries(foreignIds)) {
    if (name.startsWith(MESSAGE_KEY_PREFIX)) throw new RangeError(`${name} is not a foreign extension`);
    if (!Number.isInteger(id) || id < 0 || id > 255 || ours.has(id))
      throw new RangeError(`id ${id} of ${name} is taken`);
  }
  const m: Record<string, number> = { ...foreignIds };
  for (const name of MESSAGE_NAMES) m[MESSAGE_KEY_PREFIX + name] = kind === 'install' ? MESSAGE_ID[name] : 0;
  return writeBencode({ ...topLevel, cc: PROTOCOL_VERSION, m });
};
