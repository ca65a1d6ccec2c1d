export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
}

/**
 * What a Range header asks of so many bytes (RFC 9110 §14). `whole`: no range, several, or none of bytes, which a server
 * may answer in full. `unsatisfiable`: nothing of it is there.
 */
export function readRange(header: string | undefined, lengthBytes: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return 'whole';
  if (first === '') {
    const count = Math.min(Number(last), lengthBytes);
    return count === 0 ? 'unsatisfiable' : { start: lengthBytes - count, end: lengthBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return 'whole';
  if (start >= lengthBytes) return 'unsatisfiable';
  return { start, end: last === '' ? lengthBytes : Math.min(Number(last) + 1, lengthBytes) };
}
