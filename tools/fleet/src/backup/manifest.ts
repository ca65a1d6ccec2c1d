import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FleetError, reasonOf } from '../errors.js';
import { backupKey } from './part-file.js';

export const MANIFEST = 'manifest.json';

const manifestSchema = z.object({
  kind: z.literal('seedfleet-backup'),
  version: z.literal(1),
  /** When the snapshot was taken. Channels opened later are not in it. */
  takenAt: z.iso.datetime(),
  network: z.string(),
  fleetId: z.string(),
  /** Fingerprint of the seed that the channels' keys come from; null where no settler has ever started. */
  seedId: z.string().nullable(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
  sequences: z.record(z.string(), z.string()),
  /** Up to where the payment stream is in the rows: a broker that still has the rest gives it to the restored database. */
  payments: z.array(z.object({ partition: z.number(), streamEpoch: z.string(), committedSeq: z.string() })),
  /** Channels by state. */
  channels: z.record(z.string(), z.number()),
  /** Salt of the key, where the files are encrypted. */
  salt: z.string().nullable(),
  files: z.array(z.object({ file: z.string(), table: z.string().nullable(), lines: z.number(), sha256: z.string() })),
});

/** See the schema. */
export type BackupManifest = z.infer<typeof manifestSchema>;

/** Reads a backup's manifest, and the key of its files. Throws FleetError. */
export function openBackup(
  from: string,
  passphrase: Uint8Array | null,
): { manifest: BackupManifest; key: Uint8Array | null } {
  let text: string;
  let mac: string;
  try {
    text = readFileSync(join(from, MANIFEST), 'utf8');
    mac = readFileSync(join(from, `${MANIFEST}.mac`), 'utf8');
  } catch (thrown) {
    throw refused(`${from} is no backup`, reasonOf(thrown), 'name the folder that the backup was written to');
  }
  let manifest: BackupManifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw refused(`${from} is damaged, or of a later version`, reasonOf(thrown), 'take another copy of the backup');
  }
  if (manifest.salt !== null && passphrase === null) {
    throw refused(`${from} is encrypted`, 'no passphrase was given', 'name its file with --passphrase-file');
  }
  const key = manifest.salt === null || passphrase === null ? null : backupKey(passphrase, manifest.salt);
  const expected = Buffer.from(macOf(text, key));
  const given = Buffer.from(mac);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw refused(
      `the manifest of ${from} can't be trusted`,
      key === null ? 'its checksum is another' : 'the passphrase is wrong, or it was changed',
      'take another copy of the backup',
    );
  }
  return { manifest, key };
}

/** Of an encrypted backup nobody without the passphrase can make another manifest; of a plain one it shows damage. */
export function macOf(text: string, key: Uint8Array | null): string {
  const hash = key === null ? createHash('sha256') : createHmac('sha256', key);
  return `${hash.update('seedfleet backup manifest').update(text).digest('hex')}\n`;
}

export function refused(what: string, why: string, todo: string): FleetError {
  return new FleetError('backup-refused', what, why, todo);
}
