import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../../../../docs/runbooks/disasters/', import.meta.url);

/** Commands of a page, as they stand in it. */
export interface Runbook {
  /** What has to be done while all is well. */
  readonly before: readonly string[];
  /** What is done after the disaster. */
  readonly steps: readonly string[];
  /** What is done in place of that where less is left: under a heading of its own, "Do with …". Mostly none. */
  readonly otherwise: readonly string[];
}

/** The page of a disaster. Throws where it has no commands to follow. */
export function readRunbook(name: string): Runbook {
  const text = readFileSync(fileURLToPath(new URL(`${name}.md`, FOLDER)), 'utf8');
  const book = {
    before: commandsUnder(text, 'Before'),
    steps: commandsUnder(text, 'Do'),
    otherwise: commandsUnder(text, 'Do with .*'),
  };
  if (book.steps.length === 0) throw new Error(`docs/runbooks/disasters/${name}.md has no commands under "Do"`);
  return book;
}

/** Lines of the shell blocks below a heading, up to the next. */
function commandsUnder(text: string, heading: string): string[] {
  const [, section = ''] = text.split(new RegExp(`^## ${heading}$`, 'm'));
  const [own = ''] = section.split(/^## /m);
  return [...own.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block.split('\n').filter((line) => line.trim() !== ''),
  );
}
