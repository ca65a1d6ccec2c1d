import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { recognise, type VectorFile } from './forms.js';

/** Far above any vector file, far below what would trouble the machine. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;

export interface LoadedFile {
  readonly path: string;
  /** For messages. */
  readonly name: string;
  readonly file: VectorFile;
}

const unreadable = (path: string, reason: string): LoadedFile => ({
  path,
  name: basename(path),
  file: { form: 'unknown', reason },
});

/** Reads one file; what can't be read comes back as `unknown` with the reason. */
export const loadFile = async (path: string): Promise<LoadedFile> => {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) return unreadable(path, `${size} bytes are more than is read here`);
    const bytes = await readFile(path);
    return { path, name: basename(path), file: recognise(bytes, basename(path)) };
  } catch (error) {
    return unreadable(path, error instanceof Error ? error.message : String(error));
  }
};

/** The files that an argument stands for: itself, or the JSON files of a directory. */
export const expandPath = async (path: string): Promise<string[]> => {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isDirectory) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => join(path, entry.name))
    .sort();
};

/**
 * Event logs that lie beside a transcript: files of the same folder whose name begins like the transcript's. Whether
 * they belong to it is decided by the peers they mention.
 */
export const eventLogsBeside = async (transcript: string): Promise<LoadedFile[]> => {
  const stem = basename(transcript).replace(/\.[^.]*$/, '');
  const names = await readdir(dirname(transcript)).catch(() => []);
  const beside = names.filter((name) => name.startsWith(`${stem}.`) && name !== basename(transcript));
  const loaded = await Promise.all(beside.sort().map((name) => loadFile(join(dirname(transcript), name))));
  return loaded.filter(({ file }) => file.form === 'event-log');
};
