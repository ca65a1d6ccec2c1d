import { lstat, opendir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DEFAULT_METAINFO_LIMITS } from '../metainfo/metainfo.js';
import { safeComponent, safeDepth } from '../metainfo/paths.js';
import { failure, success, type Result } from '../result.js';
import { fileError, type MakingError } from './errors.js';

/** What lies at a path, before anything of it is read. */
export interface Survey {
  /** With every link resolved: nothing below it is reached through one. */
  readonly root: string;
  readonly name: string;
  readonly folder: boolean;
  /** In the order that the torrent lists them: by path, byte by byte, so that the same content makes the same torrent. */
  readonly files: readonly SurveyedFile[];
  readonly totalBytes: number;
}

export interface SurveyedFile {
  /** Components below the root; empty for a single file. */
  readonly path: readonly string[];
  readonly lengthBytes: number;
  /** Tells whether the file is still the one that was looked at. */
  readonly mark: string;
}

export interface SurveyLimits {
  readonly maxFiles: number;
  readonly maxTotalBytes: number;
}

export const DEFAULT_SURVEY_LIMITS: SurveyLimits = {
  maxFiles: DEFAULT_METAINFO_LIMITS.maxFiles,
  maxTotalBytes: DEFAULT_METAINFO_LIMITS.maxTotalLengthBytes,
};

/** What desktops leave behind in folders; nobody wants to buy it. */
const LEFT_BEHIND = /^(\.DS_Store|\._.*|Thumbs\.db|desktop\.ini)$/i;

/** Lists a file or folder with sizes. Links and special files in it are refused, not skipped: they may be content. */
export async function surveyContent(
  path: string,
  limits: SurveyLimits = DEFAULT_SURVEY_LIMITS,
  signal?: AbortSignal,
): Promise<Result<Survey, MakingError>> {
  try {
    const root = join(await realpath(dirname(path)), basename(path));
    const name = safeComponent(Buffer.from(basename(root)));
    if (name === undefined) return failure({ code: 'content-name-unsafe', detail: JSON.stringify(basename(root)) });
    const files: SurveyedFile[] = [];
    let seen = 0;
    const visit = async (components: readonly string[]): Promise<MakingError | undefined> => {
      if (signal?.aborted === true) return { code: 'aborted', detail: '' };
      const place = join(root, ...components);
      const shown = components.join('/') || name;
      // Folders count too: a tree of empty ones has no end either.
      if ((seen += 1) > limits.maxFiles)
        return { code: 'content-too-many-files', detail: `more than ${limits.maxFiles}` };
      const found = await lstat(place, { bigint: true });
      if (found.isSymbolicLink()) return { code: 'content-symlink', detail: shown };
      if (found.isFile()) {
        files.push({ path: components, lengthBytes: Number(found.size), mark: fileMark(found) });
        return undefined;
      }
      if (!found.isDirectory()) return { code: 'content-special', detail: shown };
      // Names as bytes: a name that is no UTF-8 must be refused, not repaired into another one.
      const folder = await opendir(place, { encoding: 'buffer' as BufferEncoding });
      for await (const { name: entry } of folder) {
        const bytes = Buffer.from(entry);
        const component = safeComponent(bytes);
        if (component !== undefined && LEFT_BEHIND.test(component)) continue;
        const inside = component === undefined ? undefined : [...components, component];
        if (inside === undefined || !safeDepth(inside))
          return { code: 'content-name-unsafe', detail: `${shown}: ${JSON.stringify(bytes.toString('latin1'))}` };
        const error = await visit(inside);
        if (error !== undefined) return error;
      }
      return undefined;
    };
    const error = await visit([]);
    if (error !== undefined) return failure(error);
    const totalBytes = files.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    if (totalBytes === 0) return failure({ code: 'content-empty', detail: name });
    if (totalBytes > limits.maxTotalBytes)
      return failure({ code: 'content-too-large', detail: `${totalBytes} > ${limits.maxTotalBytes} bytes` });
    files.sort((a, b) => Buffer.compare(Buffer.from(a.path.join('/')), Buffer.from(b.path.join('/'))));
    return success({ root, name, folder: files[0]?.path.length !== 0, files, totalBytes });
  } catch (thrown) {
    return failure(fileError(thrown, (thrown as NodeJS.ErrnoException).path ?? path));
  }
}

/** Changes when the file is another one, or was written to. */
function fileMark(stats: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint }): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}
