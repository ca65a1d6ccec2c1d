import { describe, expect, it } from 'vitest';
import { parseStartOptions } from './options.js';

const parse = (...args: string[]) => parseStartOptions(args, '/project', '/caller');

describe('the command line of npm start', () => {
  it('sells once on regtest from the project folder by default', () => {
    expect(parse()).toEqual({
      ok: true,
      options: {
        once: false,
        sale: true,
        stateDir: '/project/.seedfleet',
        nodes: 1,
        network: 'regtest',
        mine: true,
        contentRoots: [],
        tower: false,
        localLimits: false,
        remoteSigner: false,
        yes: false,
      },
    });
  });

  it('takes relative paths as the caller means them', () => {
    expect(parse('--state', 'here')).toMatchObject({ options: { stateDir: '/caller/here' } });
    expect(parse('--content', 'films', '--content', '/music')).toMatchObject({
      options: { contentRoots: ['/caller/films', '/music'] },
    });
    expect(parse('--state', '/there')).toMatchObject({ options: { stateDir: '/there' } });
  });

  it.each([
    [['--bogus']],
    [['extra']],
    [['--nodes', '0']],
    [['--nodes', '1.5']],
    [['--nodes', '65']],
    [['--nodes', 'two']],
    [['--network', 'regnet']],
    [['--state', '']],
    [['--content', 'a,b']],
    [['--once=yes']],
    [['--once', '--no-sale']],
  ])('refuses %j', (args) => {
    expect(parse(...args)).toMatchObject({ ok: false, code: 'usage' });
  });
});
