import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { completionScript } from './completion.js';

/** What bash offers for these words, the last one being typed. */
function offered(...words: string[]): string[] {
  const script = `${completionScript('bash')}
COMP_WORDS=(leecher ${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length}
_leecher
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const run = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  return run.stdout.split('\n').filter((line) => line !== '');
}

it('completes commands, and the options of each', () => {
  expect(offered('do')).toEqual(['download']);
  expect(offered('wallet', 'se')).toEqual(expect.arrayContaining(['send', 'seed']));
  expect(offered('download', '--bud')).toEqual(['--budget']);
  expect(offered('refund', '--bud')).toEqual([]);
  expect(offered('wallet', 'send', '--fee')).toEqual(['--fee-rate', '--fee-target']);
});

it('knows no other shells', () => {
  expect(() => completionScript('fish')).toThrow('bash and zsh');
});
