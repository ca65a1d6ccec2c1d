import { describe, expect, it } from 'vitest';
import { Serial } from './serial.js';

describe('Serial', () => {
  it('runs one piece of work after another, also after a failure', async () => {
    const serial = new Serial(10);
    const log: string[] = [];
    const work = (name: string, fails = false) =>
      serial.run(async () => {
        log.push(`${name}+`);
        await new Promise((done) => setTimeout(done, 2));
        log.push(`${name}-`);
        if (fails) throw new Error(name);
      });
    const results = await Promise.allSettled([work('a'), work('b', true), work('c')]);
    expect(log).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-']);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('refuses work beyond its bound', async () => {
    const serial = new Serial(1);
    const first = serial.run(() => new Promise((done) => setTimeout(done, 5)));
    await expect(serial.run(() => Promise.resolve())).rejects.toThrow('too much work');
    await first;
    await expect(serial.run(() => Promise.resolve(1))).resolves.toBe(1);
  });
});
