import { realpath } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { Problem } from '../http/problem.js';

/** A folder whose content may be made into torrents. */
export interface ContentRoot {
  /** As this service sees it. */
  readonly path: string;
  /** The same folder as nodes see it. */
  readonly onNodes: string;
}

export interface RootedContent {
  /** With the root's own links resolved, and no others in it. */
  readonly path: string;
  readonly contentPath: string;
}

/** For injection. */
export const CONTENT_ROOTS = Symbol('CONTENT_ROOTS');

/** `PATH` or `PATH=PATH_ON_NODES`, by commas; undefined where one is not an absolute path. */
export function readContentRoots(text: string): ContentRoot[] | undefined {
  const roots: ContentRoot[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const [path, onNodes = path, ...more] = part.split('=');
    if (path?.startsWith('/') !== true || onNodes?.startsWith('/') !== true || more.length > 0) return undefined;
    roots.push({ path: resolve(path), onNodes: resolve(onNodes) });
  }
  return roots;
}

/**
 * Where content below a root truly lies. What is outside is refused before the disk is asked, so that nobody learns what
 * is there; below a root no link is followed.
 * @throws Problem content-outside-roots, content-unusable
 */
export async function rootedContent(
  roots: readonly ContentRoot[],
  path: string,
  orRoot: 'or-root' | 'below-only' = 'below-only',
): Promise<RootedContent> {
  const wanted = resolve(path);
  const root = roots
    .filter(
      (each) =>
        (orRoot === 'or-root' && wanted === each.path) ||
        wanted.startsWith(each.path === sep ? sep : `${each.path}${sep}`),
    )
    .sort((a, b) => b.path.length - a.path.length)[0];
  if (root === undefined) {
    const which = roots.length === 0 ? 'none is configured, see CONTENT_ROOTS' : 'see GET /v1/content';
    throw new Problem(422, 'content-outside-roots', `the path is not below a content root: ${which}`);
  }
  const below = relative(root.path, wanted);
  const truly = join(await resolved(root.path, wanted), below);
  if ((await resolved(wanted, wanted)) !== truly) {
    throw new Problem(422, 'content-unusable', `${wanted} leads through a symbolic link`, {
      reason: 'content-symlink',
    });
  }
  return { path: truly, contentPath: join(root.onNodes, below) };
}

async function resolved(path: string, wanted: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    throw new Problem(422, 'content-unusable', `there is nothing to read at ${wanted}`, { reason: 'content-missing' });
  }
}
