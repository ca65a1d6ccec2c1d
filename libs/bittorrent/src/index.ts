export * from './result.js';
export * from './bencode/decode.js';
export * from './metainfo/metainfo.js';
export { parseMetainfo } from './metainfo/parse.js';
export { contentHashes } from './metainfo/content-hashes.js';
export { createMetainfo, type CreateMetainfoOptions } from './metainfo/create.js';
export * from './making/errors.js';
export { makeMetainfo, type MakeOptions } from './making/make-metainfo.js';
export { DEFAULT_SURVEY_LIMITS, surveyContent, type Survey, type SurveyLimits } from './making/survey.js';
export { PieceSet } from './piece-set.js';
export * from './content/errors.js';
export * from './content/location.js';
export { PieceStore, type PieceLease, type PieceStoreOptions } from './content/piece-store.js';
export * from './content/verify.js';
export { ContentSource } from './content/source/content-source.js';
export { fetchContent } from './content/source/fetch-content.js';
export type { SourceSettings } from './content/source/open-body.js';
export { readSourceAddress, shownAddress } from './content/source/source-address.js';
export { isLasting, type SourceError, type SourceErrorCode } from './content/source/source-error.js';
export { ContentWriter } from './content/writer.js';
export { PieceLoader, type LoadRequest, type LoadPriority } from './content/piece-loader.js';
export type { CloseReason } from './peer/close-reason.js';
export { type ExtendedPolicy } from './peer/frame-splitter.js';
export { type Lane } from './peer/outbox.js';
export { createPeerId, PEER_ID_PREFIX } from './peer/peer-id.js';
export { encryptStream } from './peer/connect.js';
export type { PeerStream } from './peer/stream.js';
export { obfuscatedHash } from './peer/encryption/key-exchange.js';
export {
  Peer,
  type Block,
  type Protection,
  type PeerEvents,
  type SendOptions,
  type SendVerdict,
  type TorrentSide,
} from './peer/peer.js';
export {
  Discovery,
  secondaryHash,
  type DiscoveryOptions,
  type DiscoveryStats,
  type PeerSource,
  type SoughtTorrent,
} from './discovery/discovery.js';
export { addressKey, isContactable, parseHostPort, type PeerAddress } from './discovery/addresses.js';
export type { DatagramPort } from './discovery/dht/datagrams.js';
export { DISCOVERY_DEFAULTS } from './discovery/defaults.js';
export { UtpPort, type UtpError } from './peer/utp/utp-port.js';
export { PeerListener, type ListenError, type PeerListenerOptions, type RefusalReason } from './peer/listener.js';
export { dialPeer, type DialError, type DialOptions } from './peer/dial.js';
export { readForeignExtensions, type ForeignExtensions } from './peer/extensions/foreign.js';
export { fetchMetadata, type FetchMetadataOptions, type MetadataError } from './peer/extensions/fetch-metadata.js';
export { METADATA_PART_BYTES, metadataPart, metadataReject, readMetadataRequest } from './peer/extensions/metadata.js';
export { encodePex, MAX_PEX_BYTES, MAX_PEX_PEERS, PEX_INTERVAL_MS, readPex } from './peer/extensions/pex.js';
export { Allowance } from './discovery/allowance.js';
