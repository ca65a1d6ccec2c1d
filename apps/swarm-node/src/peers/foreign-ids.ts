import type { Metainfo } from '@seedfleet/bittorrent';

/** The ids under which we take messages of extensions that are not JoyStream's; theirs begin at 60. */
export const FOREIGN_ID = { ut_pex: 1, ut_metadata: 2 } as const;

/** What our extended handshake says of them. Private torrents have neither peer exchange nor magnet links (BEP 27). */
export function foreignHandshake({ isPrivate, infoBytes }: Metainfo): {
  readonly foreignIds: Readonly<Record<string, number>>;
  readonly topLevel: Readonly<Record<string, number>>;
} {
  if (isPrivate) return { foreignIds: {}, topLevel: {} };
  return { foreignIds: FOREIGN_ID, topLevel: { metadata_size: infoBytes.length } };
}

/** Whether a message is for a foreign extension, and nothing of the exchange's. */
export function isForeign(id: number): boolean {
  return id === FOREIGN_ID.ut_pex || id === FOREIGN_ID.ut_metadata;
}
