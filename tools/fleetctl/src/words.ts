/** How figures are written for people. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 1536 → "1.5 KiB". */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** "1234567" → "1,234,567", without going through a floating point number. */
export function grouped(satoshi: string): string {
  return satoshi.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** 0.42 → "42 %"; less than all never shows as 100 %. */
export function percent(part: number): string {
  return `${Math.floor(part * 100)} %`;
}

/** "2026-01-02T03:04:05.678Z" → "2026-01-02 03:04:05". */
export function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

export function short(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}
