/** How figures are written. Satoshi stay strings and bigint: no float touches money. */

/** "-1234567" → "−1,234,567". */
export function satoshi(amount: string | bigint): string {
  return amount
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',')
    .replace('-', '−');
}

export function sum(...amounts: readonly string[]): bigint {
  return amounts.reduce((total, amount) => total + BigInt(amount), 0n);
}

/** The part of the whole in per cent, rounded to the nearest; 0 of nothing. */
export function percentOf(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 200n + whole) / (whole * 2n));
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${UNITS[unit]}`;
}

/** "1 sale", "7 sales". */
export function sales(number: number): string {
  return plural(number, 'sale');
}

export function count(value: number): string {
  return value.toLocaleString('en');
}

/** Time that has passed, in its largest unit: "42 s", "7 min". */
export function ago(iso: string, now: string): string {
  return span((Date.parse(now) - Date.parse(iso)) / 1_000);
}

/** "in 2 h", or "passed". */
export function until(iso: string, now: string): string {
  const seconds = (Date.parse(iso) - Date.parse(now)) / 1_000;
  return seconds <= 0 ? 'passed' : `in ${span(seconds)}`;
}

function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min`;
  if (whole < 172_800) return `${Math.floor(whole / 3_600)} h`;
  return `${Math.floor(whole / 86_400)} d`;
}

/** Hashes by their ends. */
export function shortHash(hash: string): string {
  return hash.length <= 14 ? hash : `${hash.slice(0, 8)}…${hash.slice(-4)}`;
}

/** A state in words: "funding-seen" → "funding seen". */
export function words(code: string): string {
  return code.replaceAll(/[-_]/g, ' ');
}

/** A name of a program in words: "settlementFeeSat" → "settlement fee sat". */
export function nameInWords(name: string): string {
  return words(name.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')).toLowerCase();
}

/** What was noted with an event, as "name value" pairs; nothing where there is nothing. */
export function facts(data: unknown): string {
  if (typeof data !== 'object' || data === null) return '';
  return Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${nameInWords(name)} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' · ');
}

/** "1 coin", "7 coins". */
export function plural(number: number, one: string): string {
  return `${count(number)} ${one}${number === 1 ? '' : 's'}`;
}

/** For axes: "12.3k", "4M". Only a label; the exact figure stands elsewhere. */
export function compact(value: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

/** "2026-01-02 03:04". */
export function moment(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

/** A day of a chart, "2 Jan", or an hour, "14:00". Both UTC, as the books are. */
export function periodLabel(iso: string, period: 'hour' | 'day'): string {
  if (period === 'hour') return iso.slice(11, 16);
  return new Date(iso).toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
}

/** A rate with so many decimal places: "1,375.20". A rate only; amounts are never rounded. */
export function rate(value: string | number, places: number): string {
  return Number(value).toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** Characters that are not seen but turn text around, break it, or hide in it. */
const UNSEEN = /[\p{Cc}\u061C\u200B\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF]/gu;

/** A name as a stranger gave it, such that it can't pass for another: what is not seen is shown as a mark. */
export function plainName(name: string): string {
  const shown = name.replace(UNSEEN, '\u{FFFD}');
  return shown.trim() === '' ? '(blank name)' : shown;
}

/** What a torrent is called, or its hash by its ends. */
export function torrentName(name: string | null, infoHash: string): string {
  return name === null ? shortHash(infoHash) : plainName(name);
}
