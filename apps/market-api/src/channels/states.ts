/** The states a channel can be in, as channel-service stores them, in the order of a channel's life. */
export const CHANNEL_STATES = [
  'offered',
  'joined',
  'funding-seen',
  'funded',
  'closing',
  'settling',
  'settled',
  'buried',
  'returned',
  'nothing-owed',
  'join-expired',
  'refused',
  'funding-missing',
  'settle-rejected',
  'refund-seen',
  'lost',
] as const;

/** States in which pieces may still be sold or money is still on its way. */
export const OPEN_STATES = [
  'joined',
  'funding-seen',
  'funded',
  'closing',
  'settling',
  'settled',
  'settle-rejected',
  'refund-seen',
  'funding-missing',
] as const;
