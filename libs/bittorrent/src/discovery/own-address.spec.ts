import { describe, expect, it } from 'vitest';
import { OwnAddress } from './own-address.js';

describe('OwnAddress', () => {
  it('believes three voters and a majority, never one that says it often', () => {
    const own = new OwnAddress();
    for (let count = 0; count < 10; count++) own.observe('192.0.2.66', 'liar');
    expect(own.agreed).toBeUndefined();
    for (const voter of ['a', 'b', 'c']) own.observe('192.0.2.1', voter);
    expect(own.agreed).toBe('192.0.2.1');
    // We moved: the newest votes count.
    for (const voter of ['a', 'b', 'c', 'd']) own.observe('192.0.2.2', voter);
    expect(own.agreed).toBe('192.0.2.2');
    for (const voter of ['e', 'f', 'g', 'h', 'i', 'j', 'k']) own.observe(`192.0.2.${voter}`, voter);
    expect(own.agreed).toBeUndefined();
  });
});
