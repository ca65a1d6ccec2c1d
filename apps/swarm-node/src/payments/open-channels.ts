import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '@seedfleet/service-kit';

/** Lines after which the journal is written anew with what is still open. */
const COMPACT_AFTER_LINES = 10_000;
const CHANNEL_ID = /^[0-9a-f-]{36}$/;

/**
 * Journal of the channels that this node has open: `+ID` when the intake opened it, `-ID` when the end is durable. After
 * a crash the next start finds here which channels nobody serves any more, and ends them, so that they are settled at
 * once and not at their deadline. Written to the system's cache only: a machine that loses power leaves them to the
 * deadline, as does a disk that is full.
 */
export class OpenChannels {
  private readonly open = new Set<string>();
  private lines = 0;
  private failing = false;

  private constructor(
    private readonly path: string,
    private readonly logger: Logger,
  ) {}

  /** Reads what an earlier process left open; an unreadable journal counts as empty. */
  static read(path: string, logger: Logger): OpenChannels {
    const channels = new OpenChannels(path, logger);
    for (const line of readIfThere(path).split('\n')) {
      const id = line.slice(1);
      if (!CHANNEL_ID.test(id)) continue; // the last line may be torn
      if (line.startsWith('+')) channels.open.add(id);
      else channels.open.delete(id);
    }
    channels.write(() => {
      mkdirSync(dirname(path), { recursive: true });
      channels.compact();
    });
    return channels;
  }

  get ids(): readonly string[] {
    return [...this.open];
  }

  add(channelId: string): void {
    this.open.add(channelId);
    this.note(`+${channelId}`);
  }

  remove(channelId: string): void {
    if (this.open.delete(channelId)) this.note(`-${channelId}`);
  }

  private note(line: string): void {
    this.write(() => {
      if (++this.lines > COMPACT_AFTER_LINES + this.open.size) this.compact();
      else appendFileSync(this.path, `${line}\n`);
    });
  }

  private compact(): void {
    writeFileSync(`${this.path}.new`, [...this.open].map((id) => `+${id}\n`).join(''));
    renameSync(`${this.path}.new`, this.path);
    this.lines = 0;
  }

  /** Sales go on without the journal; one line per outage. */
  private write(action: () => void): void {
    try {
      action();
      this.failing = false;
    } catch (failure) {
      if (!this.failing) this.logger.warn({ failure: String(failure) }, 'the journal of open channels is not written');
      this.failing = true;
    }
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
