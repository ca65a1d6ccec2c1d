import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maySend, type OrderSchedule } from './order-schedule.js';

const schedule = fc
  .array(fc.integer({ min: 1, max: 2_000_000_000 }), { minLength: 5, maxLength: 5 })
  .map((times): OrderSchedule => {
    const [quiet = 1, tower = 1, fleet = 1, again = 1, open = 1] = times.sort((one, other) => one - other);
    return {
      quietFromMtp: quiet,
      towerFromMtp: tower,
      fleetFromMtp: fleet,
      towerAgainFromMtp: again,
      openFromMtp: open,
    };
  });

it('never lets tower and fleet send at the same time before others can spend, and one of both from half the margin on', () => {
  fc.assert(
    fc.property(schedule, fc.integer({ min: 0, max: 2_000_000_001 }), (dates, mtp) => {
      const [tower, fleet] = [maySend(dates, 'tower', mtp), maySend(dates, 'fleet', mtp)];
      if (mtp >= dates.openFromMtp) expect([tower, fleet]).toEqual([true, true]);
      else expect(Number(tower) + Number(fleet)).toBe(mtp >= dates.towerFromMtp ? 1 : 0);
      expect(maySend(dates, 'alone', mtp)).toBe(mtp >= dates.towerFromMtp);
    }),
  );
});
