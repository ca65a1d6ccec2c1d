import { readFile, rename, writeFile } from 'node:fs/promises';
import { parseHostPort } from '@seedfleet/bittorrent';

/** DHT nodes kept: a few of them answer days later. */
const MAX_NODES = 64;

/** DHT nodes of the last run, so that a node finds the DHT again without anybody's bootstrap server. */
export class KnownNodes {
  constructor(private readonly file: string) {}

  /** Empty where nothing usable is there. */
  async read(): Promise<string[]> {
    const text = await readFile(this.file, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => parseHostPort(line) !== undefined);
    return lines.slice(0, MAX_NODES);
  }

  /** Keeps the old ones where there are no new ones. */
  async write(nodes: readonly string[]): Promise<void> {
    if (nodes.length === 0) return;
    await writeFile(`${this.file}.new`, nodes.slice(0, MAX_NODES).join('\n'));
    await rename(`${this.file}.new`, this.file);
  }
}
