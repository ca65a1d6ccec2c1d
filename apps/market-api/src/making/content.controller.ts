import { lstat, opendir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Endpoint } from '../http/endpoint.js';
import { Problem } from '../http/problem.js';
import { CONTENT_ROOTS, rootedContent, type ContentRoot } from './content-roots.js';
import { contentQuery, contentSchema, type ContentQuery, type ContentView } from './content.schemas.js';

/** A folder with more is no place to browse. */
const MAX_ENTRIES = 20_000;

/** What operators can make torrents from. */
@ApiTags('torrents')
@Controller('v1/content')
export class ContentController {
  constructor(@Inject(CONTENT_ROOTS) private readonly roots: readonly ContentRoot[]) {}

  @Get()
  @Endpoint({
    summary: 'Content roots, or what lies in a folder below one',
    access: 'operate',
    answer: contentSchema,
    refusals: [422],
  })
  async browse(@Query({ schema: contentQuery }) { path, after, limit }: ContentQuery): Promise<ContentView> {
    if (path === undefined) return { path: null, parent: null, entries: this.roots.map(rootEntry), nextAfter: null };
    const asked = resolve(path);
    const folder = await rootedContent(this.roots, asked, 'or-root');
    const parent = this.roots.some((root) => root.path === asked) ? null : dirname(asked);
    const names = (await namesIn(folder.path)).filter((name) => after === undefined || name > after);
    const shown = names.slice(0, limit);
    const entries = await Promise.all(shown.map((name) => entryOf(folder.path, asked, name)));
    return { path: asked, parent, entries, nextAfter: names.length > limit ? (shown.at(-1) ?? null) : null };
  }
}

type Entry = ContentView['entries'][number];

function rootEntry({ path }: ContentRoot): Entry {
  return { name: basename(path), path, kind: 'folder', sizeBytes: null };
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder)) {
      if (names.length === MAX_ENTRIES) throw new Problem(422, 'too-many', `a folder of more than ${MAX_ENTRIES}`);
      names.push(name);
    }
  } catch (thrown) {
    if (thrown instanceof Problem) throw thrown;
    const reason = 'content-unreadable';
    throw new Problem(422, 'content-unusable', 'the folder cannot be listed', { reason });
  }
  return names.sort();
}

async function entryOf(folder: string, shownFolder: string, name: string): Promise<Entry> {
  const path = join(shownFolder, name);
  // Gone since, or not ours to look at: shown as what can't be used.
  const found = await lstat(join(folder, name)).catch(() => undefined);
  const kind = found?.isFile() === true ? 'file' : found?.isDirectory() === true ? 'folder' : 'other';
  return { name, path, kind, sizeBytes: kind === 'file' ? (found?.size ?? null) : null };
}
