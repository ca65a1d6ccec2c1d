import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { DRILLS } from './command.js';
import { readRunbook } from './runbook.js';

const root = new URL('../../../../', import.meta.url);
const { scripts } = JSON.parse(readFileSync(fileURLToPath(new URL('package.json', root)), 'utf8')) as {
  scripts: Record<string, string>;
};

it('has a page for each drill, and a drill for each page', () => {
  const pages = readdirSync(fileURLToPath(new URL('docs/runbooks/disasters/', root))).map((file) => file.slice(0, -3));
  expect(pages.filter((name) => name !== 'README').sort()).toEqual(Object.keys(DRILLS).sort());
});

it.each(Object.keys(DRILLS))('%s: every command of its page is one that there is', (name) => {
  const { before, steps, otherwise } = readRunbook(name);
  for (const command of [...before, ...steps, ...otherwise]) {
    if (/^cp "\$\w+" "\$\w+"$/.test(command)) continue;
    const script = /^npm (?:run (?:-s )?([\w-]+) --|(start|stop) --) /.exec(command);
    expect(scripts, command).toHaveProperty(script?.[1] ?? script?.[2] ?? 'no such command');
  }
});
