/**
 * Paths named by a torrent. They become paths on an operator's or a buyer's disk, so a component that could leave the
 * folder, on any common system, is refused rather than repaired: a repaired name would make two clients disagree.
 */
const MAX_COMPONENT_BYTES = 255;
const MAX_COMPONENTS = 64;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a path component, or undefined when it is not safe to use as one. */
export function safeComponent(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.length > MAX_COMPONENT_BYTES) return undefined;
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return undefined;
  }
  if (text === '.' || text === '..') return undefined;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit === 0x7f || unit === 0x2f || unit === 0x5c) return undefined;
  }
  return text;
}

/** Whether a list of safe components is a sensible path. */
export function safeDepth(components: readonly string[]): boolean {
  return components.length > 0 && components.length <= MAX_COMPONENTS;
}

/** The first path that is listed twice or runs through another file, or undefined when all can exist side by side. */
export function conflictingPath(paths: readonly (readonly string[])[]): string | undefined {
  const files = new Set<string>();
  for (const path of paths) {
    const joined = path.join('/');
    if (files.has(joined)) return joined;
    files.add(joined);
  }
  for (const path of paths) {
    let folder = '';
    for (let depth = 0; depth < path.length - 1; depth++) {
      folder += (depth === 0 ? '' : '/') + path[depth];
      if (files.has(folder)) return folder;
    }
  }
  return undefined;
}
