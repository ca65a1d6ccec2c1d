import { parseArgs } from 'node:util';
import { isNetwork } from '@seedfleet/payment-channel';
import { SeedError } from '../keys/seed-store.js';
import {
  backUpSigner,
  beginSignerLog,
  restoreSigner,
  SignerBackupError,
  verifySignerBackup,
  type SignerFiles,
} from './signer-backup.js';
import { SigningLogError } from './log-lines.js';
import type { LogPosition } from './log-segments.js';

export const SIGNER_BACKUP_USAGE = `npm run signer-backup -- take --out DIR [FILES]
npm run signer-backup -- verify --from DIR [FILES]
npm run signer-backup -- restore --from DIR [--vouch] [FILES]
npm run signer-backup -- begin --network NAME [--vouch] [FILES]

What only the signer's host has: the encrypted seed and the log of what was signed. The key that opens the seed is not in a backup:
keep it elsewhere. take may be used while the signer writes. restore puts the log where none is, and writes below it that later
lines may be missing: see docs/signer.md for what the signer then asks of you. begin is for a seed that you have and no log.

  --vouch          you are sure that nobody but you has had the settler: the signer asks nothing

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
    const options = { out: text, from: text, 'seed-file': text, 'key-file': text, log: text, network: text };
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...options, vouch: { type: 'boolean' } },
    });
  } catch (thrown) {
    write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n\n${SIGNER_BACKUP_USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const [verb = '', ...more] = positionals;
  const files = {
    seedFile: values['seed-file'] ?? environment['SEED_FILE'] ?? '',
    keyFile: values['key-file'] ?? environment['SEED_KEY_FILE'] ?? '',
    log: values.log ?? environment['SIGNING_LOG'] ?? '',
  };
  const areNamed = files.keyFile !== '' && (verb === 'verify' || (files.seedFile !== '' && files.log !== ''));
  const said = more.length === 0 && areNamed ? done(verb, files, values) : undefined;
  if (said === undefined) {
    write(SIGNER_BACKUP_USAGE);
    return 2;
  }
  try {
    write(await said());
    return 0;
  } catch (thrown) {
    const isOurs =
      thrown instanceof SignerBackupError || thrown instanceof SeedError || thrown instanceof SigningLogError;
    if (!isOurs) throw thrown;
    write(`${thrown.code}: ${thrown.message}\n`);
    return 1;
  }
}

interface Asked {
  readonly out?: string | undefined;
  readonly from?: string | undefined;
  readonly network?: string | undefined;
  readonly vouch?: boolean | undefined;
}

/** What a command does, and then says; undefined where the line makes no sense. */
function done(
  verb: string,
  files: SignerFiles,
  { out, from, network = '', vouch }: Asked,
): (() => string | Promise<string>) | undefined {
  if (verb === 'take' && out !== undefined) {
    return () => `taken: ${described(backUpSigner(files, out))}\nin ${out}; the key ${files.keyFile} is not in it\n`;
  }
  if (verb === 'verify' && from !== undefined) {
    return () => `whole: ${described(verifySignerBackup(from, files.keyFile))}\n`;
  }
  if (verb === 'restore' && from !== undefined) {
    return async () => `restored: ${described(await restoreSigner(from, files, vouch))}\n${warning(vouch)}`;
  }
  if (verb === 'begin' && isNetwork(network)) {
    return async () => `begun: ${described(await beginSignerLog(files, network, vouch))}\n${warning(vouch)}`;
  }
  return undefined;
}

function warning(isSure = false): string {
  return isSure
    ? 'It says that the settler is vouched for: every key signs. Start the signer.\n'
    : 'Keys that sign nothing from now on may have signed more than this log knows. Within a day they sign only while\n' +
        'UNSURE_KEYS_SIGN_UNTIL of the signer lies ahead: set it if you are sure of the settler. docs/signer.md\n';
}

const described = ({ seq, head }: LogPosition): string => `${seq} lines, hash ${head}`;
