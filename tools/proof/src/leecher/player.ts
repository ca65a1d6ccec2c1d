import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Scorecard } from '../scorecard.js';
import { waitFor } from '../world/world.js';
import type { Stage, StageOptions } from './stage.js';

const run = promisify(execFile);
const STREAM_MS = 60_000;
const PLAYER_MS = 120_000;
const FILM_SECONDS = 60;

const FILMS = [
  // Its index is behind the content: a player jumps to the end before it can show anything.
  ['MP4 with its index at the end', 'film.mp4'],
  ['Matroska', 'film.mkv'],
] as const;

type Play = (name: string, play: (stage: Stage) => Promise<readonly string[]>, options: StageOptions) => Promise<void>;

/** Films made and played by FFmpeg; where it is not installed that is said, and nothing is claimed. */
export async function provePlayer(on: Play, short: boolean, scores: Scorecard, folder: string): Promise<void> {
  if (!(await isInstalled())) return scores.line('not run, FFmpeg is not installed here: a player that seeks');
  for (const [name, file] of short ? FILMS.slice(0, 1) : FILMS) {
    const content = await film(join(folder, 'films'), file);
    await on(`a player that seeks: ${name}`, (stage) => watch(stage, content), { content, coins: 10 });
  }
}

async function isInstalled(): Promise<boolean> {
  return run('ffprobe', ['-version']).then(
    () => true,
    () => false,
  );
}

/** A minute of a moving picture with a tone: about 2 MB, a key picture each second. */
async function film(folder: string, file: string): Promise<Buffer> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, file);
  const source = (text: string): string[] => ['-f', 'lavfi', '-i', text];
  await run('ffmpeg', [
    ...['-v', 'error', '-y'],
    ...source(`testsrc2=duration=${FILM_SECONDS}:size=320x180:rate=10`),
    ...source(`sine=duration=${FILM_SECONDS}`),
    ...['-c:v', 'mpeg4', '-b:v', '250k', '-g', '10', '-c:a', 'aac', path],
  ]);
  return readFileSync(path);
}

/** The player asks what the film is, shows a picture near the end, and one in the middle, while it is being bought. */
async function watch(stage: Stage, content: Buffer): Promise<readonly string[]> {
  await stage.seller({ delayMs: 150 });
  let url = '';
  let have = 0;
  const streaming = stage.client.start(stage.words('stream', ['--listen', '127.0.0.1:0']), {
    onEvent: (event) => {
      stage.onEvent(event);
      if (event.event === 'streaming') url = String(event['url']);
      if (event.event === 'piece') have = Number(event['have']);
    },
  });
  const faults: string[] = [];
  try {
    await waitFor(() => url !== '', STREAM_MS, 'the stream');
    const ask = ['-v', 'error', '-show_entries', 'format=duration,size', '-of', 'json', url];
    const { stdout } = await run('ffprobe', ask, { timeout: PLAYER_MS });
    const { format } = JSON.parse(stdout) as { format: { duration: string; size: string } };
    if (Math.abs(Number(format.duration) - FILM_SECONDS) > 1) faults.push(`the player sees ${format.duration} s`);
    if (Number(format.size) !== content.length) faults.push(`the player sees ${format.size} bytes`);
    const last = await picture(stage, url, 50);
    const haveAtSeek = have;
    const middle = await picture(stage, url, 20);
    const own = join(stage.client.folder, 'own');
    for (const [second, seen] of [
      [50, last],
      [20, middle],
    ] as const) {
      const wanted = await picture(stage, stage.writeContent(own), second);
      if (!seen.equals(wanted) || seen.length === 0) faults.push(`the picture at ${second} s is not the film's`);
    }
    if (haveAtSeek >= stage.torrent.pieces) faults.push('the seek waited for the whole film');
    await run('ffmpeg', ['-v', 'error', '-xerror', '-i', url, '-f', 'null', '-'], { timeout: PLAYER_MS });
    await waitFor(() => stage.isComplete(), PLAYER_MS, 'the whole film');
  } finally {
    streaming.interrupt();
    await streaming.ended;
  }
  return faults;
}

/** One picture as it is at a second, in raw bytes. */
async function picture({ client }: Stage, source: string, second: number): Promise<Buffer> {
  const words = ['-v', 'error', '-ss', `${second}`, '-i', source, '-frames:v', '1', '-f', 'rawvideo', '-'];
  const { stdout } = await run('ffmpeg', words, { timeout: PLAYER_MS, encoding: 'buffer', cwd: client.folder });
  return stdout;
}
