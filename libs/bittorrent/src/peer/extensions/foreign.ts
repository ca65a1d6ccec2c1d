import { decodeBencode, type BencodeDictionary } from '../../bencode/decode.js';

/** What a peer's extended handshake (BEP 10) says of the extensions that are not JoyStream's. */
export interface ForeignExtensions {
  /** The id under which the peer takes `ut_metadata` messages. */
  readonly utMetadata?: number;
  /** The id under which the peer takes `ut_pex` messages. */
  readonly utPex?: number;
  /** The TCP port where the peer listens. */
  readonly listenPort?: number;
}

const LIMITS = { maxDepth: 8, maxValues: 2_000 };

/** Reads an extended handshake; what is missing or odd is left out. */
export function readForeignExtensions(body: Uint8Array): ForeignExtensions {
  const decoded = decodeBencode(body, LIMITS);
  if (!decoded.ok || decoded.value.type !== 'dictionary') return {};
  const mapping = decoded.value.value.get('m');
  const id = (name: string): number | undefined =>
    mapping?.type === 'dictionary' ? integerOf(mapping, name, 255) : undefined;
  const [utMetadata, utPex, listenPort] = [id('ut_metadata'), id('ut_pex'), integerOf(decoded.value, 'p', 65_535)];
  return {
    ...(utMetadata === undefined ? {} : { utMetadata }),
    ...(utPex === undefined ? {} : { utPex }),
    ...(listenPort === undefined ? {} : { listenPort }),
  };
}

/** A whole number from 1 up to a bound: an id of 0 switches an extension off. */
function integerOf(dictionary: BencodeDictionary, key: string, most: number): number | undefined {
  const value = dictionary.value.get(key);
  return value?.type === 'integer' && value.value >= 1 && value.value <= most ? value.value : undefined;
}
