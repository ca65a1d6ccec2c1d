/** Why a connection ended. Every connection ends with exactly one of these. */
export type CloseReason =
  /** The owner closed it. */
  | 'local'
  /** The peer closed it, in an orderly way. */
  | 'remote'
  /** The network or the system ended it. */
  | 'socket-error'
  /** The peer did not finish its handshake in time. */
  | 'handshake-timeout'
  /** The first bytes are not a BitTorrent handshake. */
  | 'not-bittorrent'
  /** The peer asked for a torrent that is not here. */
  | 'unknown-torrent'
  /** The peer is this very node. */
  | 'self-connection'
  /** The dialled peer answered with another torrent. */
  | 'wrong-torrent'
  /** The dialled peer did not take part in an encrypted handshake. */
  | 'encryption-refused'
  /** A standard frame is longer than its kind can be. */
  | 'frame-too-large'
  /** An extended message is longer than its id allows; nothing of it was buffered. */
  | 'extended-too-large'
  /** An extended message with an id that the owner does not take. */
  | 'extended-id-unknown'
  /** A standard message has a length or a value that it can't have. */
  | 'frame-malformed'
  /** The peer sent a message that its handshake does not allow, or data nobody asked for. */
  | 'protocol-violation'
  /** The peer does not read, and what waits for it has reached its bound. */
  | 'send-queue-full'
  /** Nothing arrived for longer than the silence limit. */
  | 'silent';
