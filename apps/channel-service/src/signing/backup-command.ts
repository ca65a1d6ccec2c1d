import { parseArgs } from 'node:util';
import { SeedError } from '../keys/seed-store.js';
import { backUpSigner, restoreSigner, SignerBackupError, verifySignerBackup } from './signer-backup.js';
import { SigningLogError, type LogPosition } from './signing-log.js';

export const SIGNER_BACKUP_USAGE = `npm run signer-backup -- take --out DIR [FILES]
npm run signer-backup -- verify --from DIR [FILES]
npm run signer-backup -- restore --from DIR [FILES]

What only the signer's host has: the encrypted seed and the log of what was signed. The key that opens the seed is not in a backup:
keep it elsewhere. take may be used while the signer writes. restore puts the log where none is, and writes below it that later
lines may be missing: see docs/signer.md for what the signer then asks of you.

FILES, by default what SEED_FILE, SEED_KEY_FILE and SIGNING_LOG say:
  --seed-file FILE  --key-file FILE  --log FILE
`;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Runs one command. Returns the exit code: 0 done, 1 refused or not whole, 2 the command line makes no sense.
 * @param write where the text goes
 */
export async function runSignerBackupCommand(
  args: readonly string[],
  environment: Environment,
  write: (text: string) => void,
): Promise<number> {
  let parsed;
  try {
    const text = { type: 'string' } as const;
    const options = { out: text, from: text, 'seed-file': text, 'key-file': text, log: text };
    parsed = parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (thrown) {
    write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${SIGNER_BACKUP_USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const [verb, ...more] = positionals;
  const files = {
    seedFile: values['seed-file'] ?? environment['SEED_FILE'] ?? '',
    keyFile: values['key-file'] ?? environment['SEED_KEY_FILE'] ?? '',
    log: values.log ?? environment['SIGNING_LOG'] ?? '',
  };
  const { out, from } = values;
  const areNamed = files.keyFile !== '' && (verb === 'verify' || (files.seedFile !== '' && files.log !== ''));
  try {
    if (more.length === 0 && areNamed && verb === 'take' && out !== undefined) {
      write(`taken: ${described(backUpSigner(files, out))}\nin ${out}; the key ${files.keyFile} is not in it\n`);
      return 0;
    }
    if (more.length === 0 && areNamed && verb === 'verify' && from !== undefined) {
      write(`whole: ${described(verifySignerBackup(from, files.keyFile))}\n`);
      return 0;
    }
    if (more.length === 0 && areNamed && verb === 'restore' && from !== undefined) {
      write(
        `restored: ${described(await restoreSigner(from, files))}\n` +
          `Keys that sign nothing from now on may have signed more than this log knows. Within a day they sign only while\n` +
          `UNSURE_KEYS_SIGN_UNTIL of the signer lies ahead: set it if you are sure of the settler. docs/signer.md\n`,
      );
      return 0;
    }
  } catch (thrown) {
    const isOurs =
      thrown instanceof SignerBackupError || thrown instanceof SeedError || thrown instanceof SigningLogError;
    if (!isOurs) throw thrown;
    write(`${thrown.code}: ${thrown.message}\n`);
    return 1;
  }
  write(SIGNER_BACKUP_USAGE);
  return 2;
}

const described = ({ seq, head }: LogPosition): string => `${seq} lines, hash ${head}`;
